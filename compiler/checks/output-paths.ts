// Where outputs may lie. Judged by the text of the paths; the runtime looks again with links resolved.

import { isAbsolute, relative } from "node:path";
import type { Report } from "../../dsl/diagnostic.ts";
import type { Span } from "../../dsl/source.ts";
import type { OutputNode } from "../recipe-graph.ts";

/** A checkpoint, adapter or stored vector that the recipe reads. */
export interface InputPlace {
  readonly path: string;
  readonly name: string;
  readonly span: Span;
}

export function checkOutputPaths(
  outputs: readonly { readonly node: OutputNode; readonly pathSpan: Span }[],
  inputs: readonly InputPlace[],
  projectDirectory: string,
  allowOutside: boolean,
  report: Report,
): void {
  outputs.forEach(({ node: { path, display }, pathSpan: span }, index) => {
    const refuse = (code: string, message: string, help: string, noteSpan?: Span, note = "declared here") =>
      report({
        code,
        severity: "error",
        message,
        span,
        help,
        ...(noteSpan === undefined ? {} : { notes: [{ message: note, span: noteSpan }] }),
      });
    if (isWithin(projectDirectory, path)) {
      refuse(
        "output-holds-project",
        "this output would take the place of the recipe's own directory",
        'write a directory of its own, such as "dist/merged"',
      );
      return;
    }
    if (!allowOutside && !isWithin(path, projectDirectory)) {
      refuse("output-outside", `${display} is outside the recipe's directory`, "if it is meant, pass --allow-outside");
    }
    for (const input of inputs) {
      if (!isWithin(path, input.path) && !isWithin(input.path, path)) continue;
      const how = path === input.path ? "is also read, as" : isWithin(path, input.path) ? "lies in" : "holds";
      refuse("output-is-input", `${display} ${how} ${input.name}`, "write to a directory of its own", input.span);
      break;
    }
    for (const other of outputs.slice(0, index)) {
      const { path: otherPath, display: otherDisplay } = other.node;
      if (path === otherPath) {
        refuse(
          "output-path-twice",
          `${display} is written twice`,
          "give one of them another path",
          other.pathSpan,
          "the first time",
        );
      } else if (isWithin(path, otherPath) || isWithin(otherPath, path)) {
        const how = isWithin(path, otherPath) ? "lies in" : "holds";
        refuse(
          "output-nested",
          `${display} ${how} the output ${otherDisplay}`,
          "write them beside each other",
          other.pathSpan,
          "the other output",
        );
      } else continue;
      break;
    }
  });
}

/** Equal counts as within. Both are absolute. */
function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !isAbsolute(way));
}
