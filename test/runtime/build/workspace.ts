// A project in a temporary directory: tiny checkpoints, a store, outputs. Graphs are made by hand, so that these tests
// need no recipe; everything else is the real thing.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Checkpoint, TensorInfo } from "../../../compiler/checkpoint.ts";
import type { ModelNode } from "../../../compiler/recipe-graph.ts";
import type { Action, ActionInput, Operation, OutputGraph, TensorGraph } from "../../../compiler/tensor-graph.ts";
import type { Diagnostic } from "../../../dsl/diagnostic.ts";
import type { Span } from "../../../dsl/source.ts";
import { build, type BuildResult } from "../../../runtime/build.ts";
import type { BuildContext } from "../../../runtime/build-context.ts";
import { readModel } from "../../../runtime/checkpoint/model-directory.ts";
import type { OpenedFiles } from "../../../runtime/checkpoint/source-file.ts";
import { planBuild, type Plan } from "../../../runtime/plan.ts";
import type { BuildObserver, BuildPhase } from "../../../runtime/progress.ts";
import { writeSafetensors, type TestTensors } from "../../support/tensors.ts";

export interface Recipe {
  /** Relative paths of the outputs. */
  readonly outputs: readonly string[];
  readonly weight?: number;
  /** Of single outputs, by path. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly models?: readonly string[];
  /** Of single outputs, by path. */
  readonly modelsOf?: Readonly<Record<string, readonly string[]>>;
  readonly shard?: number;
  readonly nan?: ActionInput["nan"];
  readonly overflow?: Action["overflow"];
  /** Names of tensors that the models must have as the base has them. */
  readonly mustEqual?: readonly string[];
  /** Whether what is merged goes through a della mask over whole tensors. */
  readonly ranked?: boolean;
}

interface Heard {
  readonly phases: BuildPhase[];
  readonly diagnostics: Diagnostic[];
  readonly published: string[];
  readonly ran: string[];
}

/** Of a recipe that is nothing but this. */
function spanOf(text: string): Span {
  return { source: { path: "merge.theta", directory: "/", text }, start: 0, end: text.length };
}

export function makeRoot(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "theta-build-")));
}

export class Workspace {
  root: string;

  /** `root`: of a workspace that another process made. */
  constructor(root = makeRoot()) {
    this.root = root;
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  write(model: string, tensors: TestTensors): void {
    writeSafetensors(this.path(model, "model.safetensors"), tensors);
  }

  /** Base + weight × Σ (model − base), tensor by tensor. */
  graph(recipe: Recipe, opened: OpenedFiles): TensorGraph {
    const base = this.#read("base", opened);
    const modelsOf = (path: string): readonly Checkpoint[] =>
      (recipe.modelsOf?.[path] ?? recipe.models ?? ["tune"]).map((name) => this.#read(name, opened));
    return { outputs: recipe.outputs.map((path) => this.#output(path, recipe, base, modelsOf(path))) };
  }

  async build(
    recipe: Recipe,
    options: Partial<BuildContext> = {},
    signal?: AbortSignal,
    also: Partial<BuildObserver> = {},
  ): Promise<BuildResult & Heard> {
    const { observer, heard } = listener(also);
    const opened: OpenedFiles = new Map();
    const graph = this.graph(recipe, opened);
    const summary = await build(graph, this.context(opened, options), observer, signal ?? new AbortController().signal);
    return { ...summary, ...heard };
  }

  async plan(recipe: Recipe, hash = false, options: Partial<BuildContext> = {}): Promise<Plan> {
    const opened: OpenedFiles = new Map();
    const graph = this.graph(recipe, opened);
    return planBuild(graph, this.context(opened, options), { hash }, new AbortController().signal);
  }

  context(opened: OpenedFiles, options: Partial<BuildContext>): BuildContext {
    return {
      opened,
      store: this.path(".theta"),
      engine: { threads: 2, memory: 64 * 2 ** 20, chunk: 2 ** 16 },
      recipe: "merge.theta",
      recipeDigest: `sha256:${"0".repeat(64)}`,
      parameters: new Map(),
      version: "0.0.0-test",
      noWait: false,
      force: false,
      keepGoing: false,
      adopt: false,
      trustRemoteStat: false,
      ...options,
    };
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }

  #read(name: string, opened: OpenedFiles): Checkpoint {
    const model = readModel(this.path(name), name, opened);
    if (model.kind === "problem") throw new Error(model.message);
    return model;
  }

  #output(path: string, all: Recipe, base: Checkpoint, models: readonly Checkpoint[]): OutputGraph {
    const own = all.weights?.[path];
    const recipe = own === undefined ? all : { ...all, weight: own };
    const overflow = recipe.overflow ?? "error";
    const node: ModelNode = {
      kind: "checkpoint",
      name: base.display,
      path: base.path,
      display: base.display,
      exceptions: {},
      span: spanOf(base.display),
    };
    return {
      output: {
        kind: "output",
        span: spanOf(path),
        display: path,
        path: this.path(path),
        value: { kind: "model", node },
        overflow,
        ...(recipe.shard !== undefined && { shard: recipe.shard }),
      },
      kind: "model",
      donor: base,
      configChanges: [],
      statistics: [],
      actions: [...base.tensors.values()].map((tensor) => mergeAction(tensor, models, recipe, overflow)),
      aliases: base.aliases,
      gates: [],
    };
  }
}

function mergeAction(
  tensor: TensorInfo,
  models: readonly Checkpoint[],
  { weight = 0.5, nan = "error", mustEqual = [], ranked = false }: Recipe,
  overflow: Action["overflow"],
): Action {
  const input = (role: string, info: TensorInfo): ActionInput => ({
    role,
    tensor: info,
    nan,
    checkpoint: role,
    span: spanOf(role),
  });
  const inputs = [
    input("base", tensor),
    ...models.map((model) => input(model.display, model.tensors.get(tensor.name)!)),
  ];
  if (mustEqual.includes(tensor.name)) return copyAction(tensor, inputs, overflow);
  const loads = inputs.map(
    (_, index) => ({ op: "load", input: index, nan: nan === "zero" ? "zero" : "propagate" }) as const,
  );
  const vectors = models.map((_, index) => ({ op: "subtract", left: index + 1, right: 0 }) as const);
  const differences = vectors.map((_, index) => inputs.length + index);
  const masks = ranked
    ? differences.flatMap((at, index) => rankedMask(at, inputs.length + vectors.length + 3 * index))
    : [];
  const of = ranked ? differences.map((_, index) => inputs.length + vectors.length + 3 * index + 2) : differences;
  const sum = { op: "sum", of, weights: of.map(() => weight), scale: 1 } as const;
  const onto = { op: "onto", base: 0, vector: inputs.length + vectors.length + masks.length } as const;
  return {
    kind: "compute",
    tensor: tensor.name,
    program: { operations: [...loads, ...vectors, ...masks, sum, onto] },
    inputs,
    dtype: tensor.dtype,
    shape: tensor.shape,
    work: "F32",
    overflow,
  };
}

/** The operations from position `at` on. */
function rankedMask(of: number, at: number): readonly Operation[] {
  return [
    { op: "della", of, density: 0.5, epsilon: 0.15, per: "tensor", tie: BigInt(of), seed: 7n, stream: BigInt(of) },
    { op: "select", of, mask: at },
    { op: "rescale-della", of: at + 1, mask: at },
  ];
}

/** Integers are taken from the base. */
function copyAction(
  tensor: TensorInfo,
  [base, ...others]: readonly ActionInput[],
  overflow: Action["overflow"],
): Action {
  const operations = [{ op: "load", input: 0, nan: "propagate" }] as const;
  const { name, dtype, shape } = tensor;
  const made = { kind: "compute", tensor: name, program: { operations }, inputs: [base!], work: "bytes" } as const;
  return { ...made, dtype, shape, overflow, mustEqual: others };
}

/** Remembers; `also` is told the same. */
function listener(also: Partial<BuildObserver>): { readonly observer: BuildObserver; readonly heard: Heard } {
  const heard: Heard = { phases: [], diagnostics: [], published: [], ran: [] };
  const observer: BuildObserver = {
    phase: (phase) => {
      heard.phases.push(phase);
      also.phase?.(phase);
    },
    work: (amount) => also.work?.(amount),
    actionDone: (action) => {
      if (action.how === "run") heard.ran.push(action.tensor);
      also.actionDone?.(action);
    },
    bytes: () => undefined,
    gateJudged: () => undefined,
    outputPublished: ({ path }) => void heard.published.push(path),
    diagnostic: (diagnostic) => void heard.diagnostics.push(diagnostic),
  };
  return { observer, heard };
}
