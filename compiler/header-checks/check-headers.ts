// Runs the checks of a recipe against checkpoint headers that need no single tensor's program; lowering does the rest.

import type { Report } from "../../dsl/diagnostic.ts";
import type { Headers } from "../headers.ts";
import type { OutputNode } from "../recipe-graph.ts";
import { checkAdapters } from "./adapters.ts";
import { checkComputation } from "./computation.ts";
import { checkNames } from "./names.ts";
import { checkSelectors } from "./selectors.ts";
import { checkSideFiles } from "./side-files.ts";

/** Every source under the outputs has been read, and every stack has a layout. Returns the outputs whose models are about the same tensors. */
export function checkHeaders(outputs: readonly OutputNode[], headers: Headers, report: Report): readonly OutputNode[] {
  const once = reportOnce(report);
  const comparable = outputs.filter((output) => checkNames(output, headers, once));
  for (const output of comparable) checkAdapters(output, headers, once);
  for (const output of comparable) checkSideFiles(output, headers, once);
  for (const output of comparable) checkComputation(output, headers, once);
  checkSelectors(comparable, headers, once);
  return comparable;
}

/** Two outputs of one merge find the same things. */
function reportOnce(report: Report): Report {
  const told = new Set<string>();
  return (diagnostic) => {
    const { code, message, span } = diagnostic;
    const key = `${code}\0${message}\0${span?.source.path}\0${span?.start}`;
    if (told.has(key)) return;
    told.add(key);
    report(diagnostic);
  };
}
