// `output "dist/assistant" = assistant { … }`: what is written, where, and how.

import type { Expression, OutputStatement } from "../../dsl/ast.ts";
import { evaluate } from "./evaluate.ts";
import type { Scope } from "./names.ts";
import { takeConstantWord, takeWord } from "./parameter-values.ts";
import type { CheckpointNode, OutputNode } from "../recipe-graph.ts";
import { DTYPE_WORDS, OUTPUT_SETTING_NAMES, OVERFLOW_WORDS, type OutputSettingName } from "../settings.ts";
import { reportSettingTwice, reportUnknownSetting, takePath } from "./sources.ts";
import { takesInstead, wrongKind } from "./wrong-kind.ts";

type Settings = Pick<OutputNode, OutputSettingName>;

/** Undefined when something was reported. */
export function evaluateOutput({ path, value, settings, span }: OutputStatement, scope: Scope): OutputNode | undefined {
  const location = takePath("an output", path, scope);
  const result = evaluate(value, scope);
  const read = readSettings(settings, scope);
  if (result.kind !== "model" && result.kind !== "vector") {
    if (result.kind !== "poison") scope.report(takesInstead("an output", "a model or a vector", result, value.span));
    return undefined;
  }
  if (location === undefined || read === undefined) return undefined;
  const node =
    result.kind === "model" ? { kind: result.kind, node: result.node } : { kind: result.kind, node: result.node };
  return { kind: "output", span, ...location, value: node, ...read };
}

function readSettings(settings: OutputStatement["settings"], scope: Scope): Settings | undefined {
  const read: { -readonly [K in keyof Settings]: Settings[K] } = { overflow: "error" };
  const seen = new Set<string>();
  let isSound = true;
  for (const { name, value } of settings) {
    const setting = OUTPUT_SETTING_NAMES.find((each) => each === name.text);
    if (setting === undefined || seen.has(setting)) {
      isSound = false;
      if (setting === undefined) reportUnknownSetting(name.text, name.span, OUTPUT_SETTING_NAMES, scope);
      else reportSettingTwice(setting, name.span, scope);
      continue;
    }
    seen.add(setting);
    switch (setting) {
      case "dtype": {
        const dtype = takeWord("dtype", DTYPE_WORDS, value, scope);
        if (dtype === undefined) isSound = false;
        else read.dtype = dtype;
        break;
      }
      case "shard": {
        const bytes = takeShard(value, scope);
        if (bytes === undefined) isSound = false;
        else read.shard = bytes;
        break;
      }
      case "overflow": {
        const word = takeConstantWord(setting, OVERFLOW_WORDS, value, scope);
        const policy = OVERFLOW_WORDS.find((each) => each === word);
        if (policy === undefined) isSound = false;
        else read.overflow = policy;
        break;
      }
      case "tokenizer":
      case "config": {
        const checkpoint = takeCheckpoint(setting, value, scope);
        if (checkpoint === undefined) isSound = false;
        else read[setting] = checkpoint;
        break;
      }
    }
  }
  return isSound ? read : undefined;
}

function takeShard(value: Expression, scope: Scope): number | undefined {
  const result = evaluate(value, scope);
  if (result.kind === "poison") return undefined;
  if (result.kind !== "size") {
    const help = result.kind === "number" ? "write the unit, such as 5GB or 512MiB" : undefined;
    scope.report(takesInstead("shard", "a size such as 5GB", result, value.span, help));
    return undefined;
  }
  if (result.bytes > 0) return result.bytes;
  scope.report({ code: "shard-range", severity: "error", message: "shard must be above 0", span: value.span });
  return undefined;
}

/** Files are copied from a checkpoint, so a merge will not do. */
function takeCheckpoint(setting: string, value: Expression, scope: Scope): CheckpointNode | undefined {
  const help = "name a base or model of the recipe";
  if (isUnion(value, scope)) {
    const message = "tokens of several vocabularies are not aligned; the files of one model are copied";
    scope.report({ code: "unknown-name", severity: "error", message, span: value.span, help });
    return undefined;
  }
  const result = evaluate(value, scope);
  if (result.kind === "model" && result.node.kind === "checkpoint") return result.node;
  if (result.kind === "model") {
    scope.report(wrongKind(`${setting} takes a model that is read, not one that is made`, value.span, help));
  } else if (result.kind !== "poison") scope.report(takesInstead(setting, "a model", result, value.span, help));
  return undefined;
}

/** `tokenizer union` of mergekit, where the recipe has no such name. */
function isUnion(value: Expression, { declarations }: Scope): boolean {
  return value.kind === "name" && value.text === "union" && !declarations.has("union");
}
