// What a checkpoint is, in a line or a few.

import { printable } from "../../../dsl/printable.ts";
import type { AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import { countOf, formatNumber } from "./numbers.ts";

/** `model, LlamaForCausalLM (llama), 22 layers` */
export function kindText({ kind, facts }: AnyCheckpoint): string {
  const { architecture, modelType, layers, quantization, adapter } = facts;
  const model = architecture ?? modelType;
  const type = architecture !== undefined && modelType !== undefined ? ` (${modelType})` : "";
  const parts = [
    kind === "vector" ? "task vector" : kind,
    ...(model === undefined ? [] : [`${model}${type}`]),
    ...(layers === undefined ? [] : [countOf(layers, "layer")]),
    ...(adapter === undefined ? [] : [`LoRA of ${countOf(adapter.modules, "module")}`]),
    ...(adapter === undefined ? [] : [`rank ${adapter.ranks.join(", ")}`]),
    ...(adapter === undefined ? [] : [`scaling ${adapter.scalings.map(formatNumber).join(", ")}`]),
    ...(adapter?.base === undefined ? [] : [`trained on ${adapter.base}`]),
    ...(quantization === undefined ? [] : [`quantized: ${quantization}`]),
  ];
  return printable(parts.join(", "));
}

/** What theta recorded of an output; nothing of anything else. */
export function provenanceLines({ facts: { output } }: AnyCheckpoint): readonly string[] {
  if (output === undefined) return [];
  const { recipe, inputs, version, digest, baseDigest } = output;
  const sources = inputs.map((input) => [`  ${input.source}`, input.digest ?? "digest not recorded"] as const);
  const width = Math.max(0, ...sources.map(([source]) => source.length));
  return [
    `written by theta ${version ?? ""} from ${recipe ?? "a recipe"}`,
    ...(digest === undefined ? [] : [`recorded digest ${digest}`]),
    ...(baseDigest === undefined ? [] : [`to be added to the base ${baseDigest}`]),
    ...(sources.length === 0 ? [] : ["inputs, with the digest of what was read of them:"]),
    ...sources.map(([source, text]) => `${source.padEnd(width)}  ${text}`),
  ].map((line) => `  ${printable(line)}`);
}
