// Where outputs may lie. Judged by the text of the paths; the runtime looks again with links resolved.

import { dirname } from "node:path";
import type { DiagnosticCode } from "../../../dsl/diagnostic-codes.ts";
import type { Report } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import type { OutputNode } from "../../recipe-graph.ts";

/** A checkpoint, adapter or stored vector that the recipe reads. */
export interface InputPath {
  readonly path: string;
  readonly name: string;
  readonly span: Span;
}

interface OutputPath {
  readonly node: OutputNode;
  /** Of the path in the recipe. */
  readonly pathSpan: Span;
}

interface Refusal {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help: string;
  readonly note?: { readonly message: string; readonly span: Span };
}

/** `projectDirectory` is absolute. */
export function checkOutputPaths(
  outputs: readonly OutputPath[],
  inputs: readonly InputPath[],
  projectDirectory: string,
  allowOutside: boolean,
  report: Report,
): void {
  const read = new PathIndex<InputPath>();
  for (const input of inputs) read.add(input.path, input);
  const written = new PathIndex<OutputPath>();
  for (const output of outputs) {
    const refusals = [
      refuseOutside(output.node, projectDirectory, allowOutside),
      refuseInput(output.node, read),
      refuseOutput(output.node, written),
    ];
    for (const refusal of refusals) {
      if (refusal === undefined) continue;
      const { note, ...rest } = refusal;
      report({ ...rest, severity: "error", span: output.pathSpan, ...(note === undefined ? {} : { notes: [note] }) });
      // The recipe's own directory holds everything else, too.
      if (refusal.code === "output-holds-project") break;
    }
    written.add(output.node.path, output);
  }
}

function refuseOutside(
  { path, display }: OutputNode,
  projectDirectory: string,
  allowOutside: boolean,
): Refusal | undefined {
  if (path === projectDirectory || ancestors(projectDirectory).includes(path)) {
    return {
      code: "output-holds-project",
      message: "this output would take the place of the recipe's own directory",
      help: 'write a directory of its own, such as "dist/merged"',
    };
  }
  if (allowOutside || ancestors(path).includes(projectDirectory)) return undefined;
  return {
    code: "output-outside",
    message: `${display} is outside the recipe's directory`,
    help: "if it is meant, pass --allow-outside",
  };
}

function refuseInput({ path, display }: OutputNode, read: PathIndex<InputPath>): Refusal | undefined {
  const found = read.touching(path);
  if (found === undefined) return undefined;
  const how = { same: "is also read, as", above: "lies in", below: "holds" }[found.where];
  return {
    code: "output-is-input",
    message: `${display} ${how} ${found.what.name}`,
    help: "write to a directory of its own",
    note: { message: "declared here", span: found.what.span },
  };
}

function refuseOutput({ path, display }: OutputNode, written: PathIndex<OutputPath>): Refusal | undefined {
  const found = written.touching(path);
  if (found === undefined) return undefined;
  const { node, pathSpan: span } = found.what;
  if (found.where === "same") {
    return {
      code: "output-path-twice",
      message: `${display} is written twice`,
      help: "give one of them another path",
      note: { message: "the first time", span },
    };
  }
  return {
    code: "output-nested",
    message: `${display} ${found.where === "above" ? "lies in" : "holds"} the output ${node.display}`,
    help: "write them beside each other",
    note: { message: "the other output", span },
  };
}

/** Paths of which one is the same as, above or below another, found without comparing each with each. */
class PathIndex<T> {
  readonly #at = new Map<string, T>();
  /** By directory, the first that lies somewhere below it. */
  readonly #below = new Map<string, T>();

  add(path: string, what: T): void {
    if (this.#at.has(path)) return;
    this.#at.set(path, what);
    for (const directory of ancestors(path)) if (!this.#below.has(directory)) this.#below.set(directory, what);
  }

  /** `where`: what was found is the same as `path`, a directory above it, or something below it. */
  touching(path: string): { readonly what: T; readonly where: "same" | "above" | "below" } | undefined {
    const same = this.#at.get(path);
    if (same !== undefined) return { what: same, where: "same" };
    for (const directory of ancestors(path)) {
      const above = this.#at.get(directory);
      if (above !== undefined) return { what: above, where: "above" };
    }
    const below = this.#below.get(path);
    return below === undefined ? undefined : { what: below, where: "below" };
  }
}

/** Of an absolute path without `.` and `..`: the directories it lies in, the nearest first. */
function ancestors(path: string): string[] {
  const directories: string[] = [];
  for (let at = path, up = dirname(at); up !== at; at = up, up = dirname(at)) directories.push(up);
  return directories;
}
