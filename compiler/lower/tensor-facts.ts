// Aligned lines of facts about tensors, for messages: name, shape, dtype, file, declaration.

import { positionOf, type Span } from "../../dsl/source.ts";
import type { TensorInfo } from "../checkpoint.ts";

export interface TensorFact {
  /** The declared name of the model. */
  readonly name: string;
  readonly tensor: TensorInfo;
  /** Path of the checkpoint, absolute and as the recipe spells it. */
  readonly path: string;
  readonly display: string;
  /** Of the declaration. */
  readonly span: Span;
}

/** `llama  [8192, 2048] bf16  models/llama/model.safetensors  declared at merge.theta:6:1` */
export function tensorFacts(facts: readonly TensorFact[]): string[] {
  const rows = facts.map(({ name, tensor, path, display, span }) => {
    const { line, column } = positionOf(span.source, span.start);
    const file = tensor.file.startsWith(`${path}/`) ? `${display}${tensor.file.slice(path.length)}` : display;
    const place = `declared at ${span.source.path}:${line}:${column}`;
    return [name, `[${tensor.shape.join(", ")}] ${tensor.dtype.toLowerCase()}`, file, place];
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

export function isSameShape(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((size, dimension) => size === right[dimension]);
}
