// Recipes, most of them right, and damaged ones. Every one is answered without an exception; what is said points into the
// text; one that is accepted is lowered to tasks that the addon takes, explained in every format, and means the same with
// its statements in another order.

import { weakKey } from "../../compiler/action-key.ts";
import type { ParameterInput } from "../../compiler/analyse.ts";
import type { CompilerHost } from "../../compiler/checkpoint.ts";
import { explainRecipe } from "../../compiler/explain/explain-recipe.ts";
import { explainTensors } from "../../compiler/explain/explain-tensors.ts";
import { isResolved } from "../../compiler/resolve-statistics.ts";
import type { TensorGraph } from "../../compiler/tensor-graph.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { parse } from "../../dsl/parse.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import type { Engine } from "../../native/addon-types.ts";
import { loadAddon } from "../../native/index.ts";
import { readParameterInputs } from "../../runtime/cli/parameter-inputs.ts";
import { NO_THRESHOLDS } from "../../runtime/build/native-program.ts";
import { computeTask } from "../../runtime/build/native-task.ts";
import { compileWith, diagnosticText } from "../support/compile-text.ts";
import { memoryHost } from "../support/memory-host.ts";
import type { Choices } from "./choices.ts";
import { damaged } from "./damage.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { SOURCES } from "./recipe-sources.ts";
import { RecipeText } from "./recipe-text.ts";

const PIECES: readonly string[] = [
  ...'( ) [ ] { } , : = @ + - * / & | ! < >= .. . " \\ # ; é 𝒳 \u0000 \t'.split(" "),
  ...[
    "\n",
    " ",
    "llama",
    "maths",
    "at ",
    "each ",
    "keep ",
    "else: ",
    "mask ",
    "weight ",
    "on ",
    "onto ",
    "using ",
    "as ",
  ],
  ...["0.5", "5GB", "1e999", "match(", "ramp(", "slice(llama, 0..2)", "layers(0..2)", '"*"', "ties", "merge _x = "],
];

/** Of what is refused: every diagnostic can be printed, and points into its own file. */
function checkDiagnostic(diagnostic: Diagnostic): void {
  const { span, notes = [] } = diagnostic;
  for (const place of [span, ...notes.map((note) => note.span)]) {
    if (place === undefined) continue;
    const { start, end, source } = place;
    if (!(start >= 0 && start <= end && end <= source.text.length)) throw new Error(`span ${start}..${end}`);
  }
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(renderDiagnostic(diagnostic))) throw new Error("control characters");
}

/** What decides the bytes of every output, whatever the order of the statements. */
function meaning({ outputs }: TensorGraph): string {
  const lines = outputs.flatMap(({ output, actions }) =>
    actions.map((action) => {
      const inputs = action.inputs.map(({ tensor, nan }) => `${tensor.file}:${tensor.name}:${nan}`);
      return [output.path, action.tensor, weakKey(action), action.overflow, ...inputs].join(" ");
    }),
  );
  return lines.sort().join("\n");
}

function checkTasks({ outputs }: TensorGraph, engine: Engine): void {
  for (const { actions, gates } of outputs) {
    for (const action of [...actions, ...gates.flatMap(({ operand }) => [...(operand?.tensors.values() ?? [])])]) {
      // A statistic of a whole model is a value that only a build has.
      if (!isResolved(action.program)) continue;
      const inputs = action.inputs.map(() => 0);
      const thresholds = action.program.operations.map(() => NO_THRESHOLDS);
      engine.needs(computeTask(action, { inputs, digests: inputs.map(() => false), output: 1, offset: 0, thresholds }));
    }
  }
}

/** What is given on the command line stands in comments of the recipe: `# -p NAME=VALUE`. */
function givenParameters(text: string): ReadonlyMap<string, ParameterInput> {
  const param = [...text.matchAll(/^# -p ([^=\n]+=.*)$/gm)].map(([, argument]) => argument!);
  return readParameterInputs({ param, only: [] });
}

function reordered(text: string): string {
  const { recipe } = parse({ path: "merge.theta", directory: "/recipes", text });
  const statements = recipe.statements.map(({ span }) => text.slice(span.start, span.end));
  return ["theta 1", ...statements.reverse()].join("\n");
}

const FORMATS = ["text", "dot", "mermaid", "json"] as const;
/** No recipe that is generated here has more to say, unless something is told again and again. */
const LONGEST_EXPLANATION = 4_000_000;

function checkRecipe(text: string, host: CompilerHost, engine: Engine): void {
  const parameters = givenParameters(text);
  const { graph, tensors, diagnostics } = compileWith(text, host, parameters);
  diagnostics.forEach(checkDiagnostic);
  const isRefused = diagnostics.some(({ severity }) => severity === "error");
  if (!isRefused && tensors === undefined) throw new Error("refused without an error");
  if (graph === undefined) return;
  // One of them, because explaining in all would take longer than everything else.
  const format = FORMATS[text.length % FORMATS.length]!;
  let { length } = explainRecipe(graph, format);
  if (tensors !== undefined) for (const piece of explainTensors(tensors, format)!) length += piece.length;
  if (length > LONGEST_EXPLANATION) throw new Error(`${length} characters of ${format}`);
  // After a line that cannot be read the rest is looked at all the same.
  if (tensors === undefined || isRefused) return;
  checkTasks(tensors, engine);
  const other = compileWith(reordered(text), host, parameters);
  if (other.tensors === undefined) throw new Error(`refused in another order: ${diagnosticText(other.diagnostics)}`);
  if (meaning(other.tensors) !== meaning(tensors)) throw new Error("another meaning in another order");
}

export function recipes(): Fuzzer<string> {
  const host = memoryHost(SOURCES);
  const engine = loadAddon().createEngine({ threads: 1, memory: 1 << 30, chunk: 1 << 20 });
  return {
    choices: 400,
    make: (choices: Choices) => {
      const isDamaged = choices.chance(1, 4);
      const text = new RecipeText(choices).write();
      return isDamaged ? damaged(text, PIECES, choices) : text;
    },
    check: (text) => checkRecipe(text, host, engine),
    close: () => engine.close(),
  };
}
