// A recipe's text to its graphs, through the real parser and analysis, over checkpoints that exist as headers only.

import type { CompilerHost } from "../../compiler/checkpoint.ts";
import { analyse, type ParameterInput } from "../../compiler/analyse.ts";
import { lower } from "../../compiler/lower.ts";
import type { RecipeGraph } from "../../compiler/recipe-graph.ts";
import type { Action, TensorGraph } from "../../compiler/tensor-graph.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { parse } from "../../dsl/parse.ts";
import { positionOf } from "../../dsl/source.ts";
import { memoryHost, MEMORY_ROOT, type MemorySources } from "./memory-host.ts";

/** A model with everything that recipes speak of: an embedding, two layers, a norm. */
export const TENSORS = {
  "model.embed_tokens.weight": "bf16 [32, 8]",
  "model.layers.0.mlp.up_proj.weight": "bf16 [16, 8]",
  "model.layers.0.self_attn.q_proj.weight": "bf16 [8, 8]",
  "model.layers.1.mlp.up_proj.weight": "bf16 [16, 8]",
  "model.layers.1.self_attn.q_proj.weight": "bf16 [8, 8]",
  "model.norm.weight": "bf16 [8]",
} as const;

interface Compiled {
  readonly graph?: RecipeGraph;
  readonly tensors?: TensorGraph;
  readonly diagnostics: readonly Diagnostic[];
}

export function compileText(text: string, sources: MemorySources): Compiled {
  return compileWith(text, memoryHost(sources));
}

/** `parameters`: as `-p` and `--params` give them. */
export function compileWith(
  text: string,
  host: CompilerHost,
  parameters: ReadonlyMap<string, ParameterInput> = new Map(),
): Compiled {
  const source = { path: "merge.theta", directory: MEMORY_ROOT, text };
  const parsed = parse(source);
  const analysed = analyse(parsed.recipe, host, {
    parameters,
    projectDirectory: MEMORY_ROOT,
    allowOutside: false,
  });
  const diagnostics = [...parsed.diagnostics, ...analysed.diagnostics];
  const { graph } = analysed;
  if (graph === undefined) return { diagnostics };
  const lowered = lower(graph.outputs, graph.expectations, host);
  return {
    graph,
    ...(lowered.tensors === undefined ? {} : { tensors: lowered.tensors }),
    diagnostics: [...diagnostics, ...lowered.diagnostics],
  };
}

/** The actions of the only output, by tensor; throws with the diagnostics when there are none. */
export function actionsOf(text: string, sources: MemorySources): ReadonlyMap<string, Action> {
  const { tensors, diagnostics } = compileText(text, sources);
  if (tensors === undefined) throw new Error(diagnosticText(diagnostics));
  return new Map(tensors.outputs[0]!.actions.map((action) => [action.tensor, action]));
}

/** Without the source's line: place, code and everything that is said. */
export function diagnosticText(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map(({ span, severity, code, message, facts = [], notes = [], help }) => {
      const at = span === undefined ? undefined : positionOf(span.source, span.start);
      const place = at === undefined ? "merge.theta" : `merge.theta:${at.line}:${at.column}`;
      return [
        `${place}: ${severity}[${code}]: ${message}`,
        ...facts.map((fact) => `   ${fact}`),
        ...notes.map((note) => `   note: ${note.message}`),
        ...(help === undefined ? [] : [`   help: ${help}`]),
      ].join("\n");
    })
    .join("\n");
}
