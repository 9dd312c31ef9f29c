// Progress on a terminal: one line a phase, redrawn in place by listr2, on standard error.

import {
  ListrLogger,
  Listr,
  ProcessOutput,
  type ListrTaskWrapper,
  type DefaultRenderer,
  type SimpleRenderer,
} from "listr2";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import type { BuildPhase } from "../../progress.ts";
import { createThroughput } from "./throughput.ts";
import type { ProgressView } from "./view.ts";

const TITLES: Record<BuildPhase, string> = {
  "look-up": "Look up what is known",
  hash: "Hash inputs",
  statistics: "Find model-wide statistics",
  compute: "Merge",
  measure: "Measure gates",
  publish: "Publish",
};

/** listr2 leaves two columns free, puts a sign before a title, and goes by standard output, too. Longer ones would be two lines. */
function columnsOfTitle(): number {
  // A terminal that does not say how wide it is says 0.
  return (Math.min(process.stderr.columns, process.stdout.columns ?? 80) || 80) - 4;
}

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** `print` gets the diagnostics, after the last redraw. */
export function createListrProgress(print: (diagnostic: Diagnostic) => void): ProgressView {
  const throughput = createThroughput();
  const held: Diagnostic[] = [];
  let task: Task | undefined;
  let current: BuildPhase | undefined;
  let finishPhase: ((failed: boolean) => void) | undefined;
  let running: Promise<unknown> = Promise.resolve();

  // listr2 runs a list that is known beforehand; phases are not, so each is a list of its own that ends when told to.
  const begin = (phase: BuildPhase): void => {
    const previous = running;
    const done = new Promise<void>((resolve, reject) => {
      finishPhase = (failed) => (failed ? reject(new Error(TITLES[phase])) : resolve());
    });
    // A phase may end before its list has begun to run.
    done.catch(() => undefined);
    const output = new ProcessOutput(process.stderr, process.stderr);
    // A copy of the stream, which would have the width that the terminal had when the phase began.
    const stream = Object.defineProperty(output.stdout, "columns", { get: () => process.stderr.columns });
    Object.defineProperty(output, "stdout", { value: stream });
    const list = new Listr(
      [
        {
          title: TITLES[phase],
          task: (_context, wrapper) => {
            task = wrapper;
            return done;
          },
        },
      ],
      {
        exitOnError: false,
        rendererOptions: { logger: new ListrLogger({ processOutput: output }), showErrorMessage: false },
      },
    );
    running = previous.then(() => list.run());
  };
  const draw = (): void => {
    if (task !== undefined && (current === "compute" || current === "hash")) {
      const title = `${TITLES[current]}  `;
      task.title = title + throughput.describe(columnsOfTitle() - title.length);
    }
  };

  return {
    phase(phase) {
      finishPhase?.(false);
      current = phase;
      task = undefined;
      begin(phase);
    },
    work: ({ actions, bytes }) => throughput.total(actions, bytes),
    actionDone() {
      throughput.actionDone();
      draw();
    },
    bytes({ read, written, copied }) {
      throughput.bytesDone(current === "hash" ? read : written + copied);
      draw();
    },
    gateJudged: () => undefined,
    outputPublished: () => undefined,
    diagnostic: (diagnostic) => void held.push(diagnostic),
    async close(outcome) {
      finishPhase?.(outcome === "failed");
      await running;
      held.forEach(print);
    },
  };
}
