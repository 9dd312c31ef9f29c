// Progress where nobody redraws, such as a CI log: a line when work begins, one every ten seconds, one an output.

import { counted } from "../../../dsl/counted.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { createThroughput } from "./throughput.ts";
import type { ProgressView } from "./view.ts";

const SECONDS_BETWEEN_LINES = 10;

export function createPlainProgress(
  write: (text: string) => void,
  print: (diagnostic: Diagnostic) => void,
): ProgressView {
  const throughput = createThroughput();
  let nextLine = Infinity;
  return {
    phase(phase) {
      if (phase === "hash") write("Hashing inputs\n");
      if (phase === "statistics") write("Finding model-wide statistics\n");
    },
    work({ actions, bytes }) {
      throughput.total(actions, bytes);
      if (actions > 0) write(`Making ${counted(actions, "tensor")}\n`);
      nextLine = performance.now() / 1000 + SECONDS_BETWEEN_LINES;
    },
    actionDone: () => throughput.actionDone(),
    bytes({ written, copied }) {
      throughput.bytesDone(written + copied);
      const now = performance.now() / 1000;
      if (now < nextLine) return;
      nextLine = now + SECONDS_BETWEEN_LINES;
      write(`  ${throughput.describe()}\n`);
    },
    gateJudged: () => undefined,
    outputPublished: () => undefined,
    diagnostic: print,
    close: () => Promise.resolve(),
  };
}
