// What can be wrong with a source. Readers below a boundary throw SourceFailure; `orProblem` at the boundary turns it
// into the value that the compiler is given. Nothing else a file contains may make them throw.

import type { SourceProblem } from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import { shortened } from "../../dsl/shortened.ts";

/** Diagnostic codes of sources, one a kind of damage. */
export type SourceCode =
  // The file system
  | "source-missing"
  | "source-unreadable"
  | "source-not-a-file"
  | "source-too-large"
  | "source-encoding"
  // What the path turned out to be
  | "source-format"
  | "source-kind"
  | "source-ambiguous"
  // JSON of any of the files
  | "json-syntax"
  | "json-duplicate-key"
  | "json-type"
  | "json-number"
  // safetensors
  | "safetensors-truncated"
  | "safetensors-header-size"
  | "safetensors-field"
  | "safetensors-dtype"
  | "safetensors-shape"
  | "safetensors-offsets"
  | "safetensors-overlap"
  | "safetensors-hole"
  | "safetensors-size"
  | "safetensors-trailing"
  // Shards and directories
  | "bad-index"
  | "shard-name"
  | "shard-missing"
  | "shard-tensors"
  | "bad-config"
  | "empty-checkpoint"
  // Adapters and vectors
  | "bad-adapter"
  | "adapter-unsupported"
  | "adapter-rank"
  | "adapter-pattern"
  | "bad-vector";

export class SourceFailure extends Error {
  readonly problem: SourceProblem;

  constructor(problem: SourceProblem) {
    super(problem.message);
    this.name = "SourceFailure";
    this.problem = problem;
  }
}

/** `message`: one sentence, no capital, no full stop; what comes out of a file is passed through `quoted` first. */
export function fail(code: SourceCode, message: string, help?: string): never {
  throw new SourceFailure({ kind: "problem", code, message, ...(help === undefined ? {} : { help }) });
}

export function orProblem<T>(read: () => T): T | SourceProblem {
  try {
    return read();
  } catch (error) {
    if (error instanceof SourceFailure) return error.problem;
    throw error;
  }
}

/** Text out of a file, fit to be printed in a sentence: escaped, and cut when it is very long. */
export function quoted(text: string): string {
  return `"${printable(shortened(text))}"`;
}

/** Shapes as diagnostics print them; long ones are cut. */
export function shapeText(shape: readonly number[]): string {
  return shape.length > 8 ? `[${shape.slice(0, 8).join(", ")}, …]` : `[${shape.join(", ")}]`;
}
