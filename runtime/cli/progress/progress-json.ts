// `--json`: every event as a line of NDJSON. The first line names the schema; fields are only ever added to it.

import { diagnosticToJson } from "../../../dsl/render-diagnostic.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import { gateJson } from "../report/gate-json.ts";
import type { ProgressView } from "./view.ts";

/** `print` also gets every diagnostic, for people reading standard error. */
export function createJsonProgress(
  write: (event: Readonly<Record<string, unknown>>) => void,
  print: (diagnostic: Diagnostic) => void,
): ProgressView {
  return {
    phase: (phase) => write({ type: "phase", phase }),
    work: ({ actions, bytes }) => write({ type: "work", actions, bytes }),
    actionDone: ({ output, tensor, how, bytes }) => write({ type: "action", output, tensor, how, bytes }),
    bytes: ({ read, hashed, written, copied }) => write({ type: "progress", bytes: { read, hashed, written, copied } }),
    gateJudged: (result) => write({ type: "gate", ...gateJson(result) }),
    outputPublished: ({ path, tensors, digest }) => write({ type: "output", path, tensors, digest }),
    diagnostic(diagnostic) {
      write({ type: "diagnostic", ...diagnosticToJson(diagnostic) });
      print(diagnostic);
    },
    close: () => Promise.resolve(),
  };
}
