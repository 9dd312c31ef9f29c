// The checkpoint headers under the outputs: read once per source through the host, found again by node.

import type { Report } from "../dsl/diagnostic.ts";
import type { Adapter, Checkpoint, CompilerHost, SourceProblem, StoredVector } from "./checkpoint.ts";
import { modelMadeBy, type LayoutNode, type SourceNode } from "./graph-walk.ts";
import { layoutOfCheckpoint, type Layout } from "./layout.ts";
import { namingOf, type Naming } from "./naming.ts";
import type { AdapterNode, CheckpointNode, ModelNode, StoredVectorNode, VectorNode } from "./recipe-graph.ts";
import { stackLayout } from "./stack-layout.ts";

type Header = Checkpoint | Adapter | StoredVector;

/**
 * Something lives between calls: one answer of the host for each source, so that a tensor is one object wherever it is
 * used. The look-ups are for nodes that `read` has accepted; for others they throw, which is a bug.
 */
export class Headers {
  readonly #host: CompilerHost;
  readonly #report: Report;
  readonly #read = new Map<string, Header | undefined>();
  /** Of `#read`, by node: every tensor asks. */
  readonly #ofNode = new Map<SourceNode, Header>();
  readonly #layouts = new Map<LayoutNode, Layout | undefined>();
  readonly #namings = new Map<Layout, Naming>();
  readonly #namingOfNode = new Map<ModelNode | VectorNode, Naming>();

  constructor(host: CompilerHost, report: Report) {
    this.#host = host;
    this.#report = report;
  }

  /** False when the source cannot be used; that was reported, once. */
  read(node: SourceNode): boolean {
    const key = keyOf(node);
    if (!this.#read.has(key)) this.#read.set(key, this.#ask(node));
    return this.#read.get(key) !== undefined;
  }

  model(node: CheckpointNode): Checkpoint {
    return this.#get(node) as Checkpoint;
  }

  adapter(node: AdapterNode): Adapter {
    return this.#get(node) as Adapter;
  }

  vector(node: StoredVectorNode): StoredVector {
    return this.#get(node) as StoredVector;
  }

  /** What tensors the model has that the innermost call makes. */
  layout(node: ModelNode | VectorNode): Layout {
    const layout = this.tryLayout(node);
    if (layout === undefined) throw new Error("the layers of a stack do not fit, which was reported");
    return layout;
  }

  /** Undefined when slices under it do not make a stack; that was reported, once. */
  tryLayout(node: ModelNode | VectorNode): Layout | undefined {
    const maker = modelMadeBy(node);
    if (!this.#layouts.has(maker)) {
      const isRead = maker.kind === "checkpoint";
      const made = isRead ? layoutOfCheckpoint(maker, this.model(maker)) : stackLayout(maker, this, this.#report);
      this.#layouts.set(maker, made);
    }
    return this.#layouts.get(maker);
  }

  /** Of the model that the innermost call makes: what selectors, ramps and layers are about. */
  naming(node: ModelNode | VectorNode): Naming {
    let naming = this.#namingOfNode.get(node);
    if (naming === undefined) {
      const layout = this.layout(node);
      naming = this.#namings.get(layout) ?? namingOf(layout, layoutName(modelMadeBy(node)));
      this.#namings.set(layout, naming);
      this.#namingOfNode.set(node, naming);
    }
    return naming;
  }

  #get(node: SourceNode): Header {
    let header = this.#ofNode.get(node);
    if (header === undefined) {
      header = this.#read.get(keyOf(node));
      if (header === undefined) throw new Error(`the header of ${node.display} was not read`);
      this.#ofNode.set(node, header);
    }
    return header;
  }

  #ask(node: SourceNode): Header | undefined {
    const header = askHost(this.#host, node);
    if (header.kind === "problem") {
      const { code, message, help } = header;
      this.#report({
        code,
        severity: "error",
        subject: "input",
        message,
        span: node.span,
        ...(help === undefined ? {} : { help }),
      });
      return undefined;
    }
    if (header.kind === "model" && header.config.quantization !== undefined) {
      this.#report({
        code: "quantized-model",
        severity: "error",
        message: `${node.name} is quantized (${header.config.quantization}), and arithmetic on its stored numbers would be wrong`,
        span: node.span,
        help: "merge the checkpoint that it was quantized from",
      });
      return undefined;
    }
    return header;
  }
}

/** What messages call it. */
export function layoutName(node: LayoutNode): string {
  return node.name ?? "the stack";
}

/** By any of the tensor's names, the stored one first. */
export function tensorOf<T>(
  source: { readonly tensors: ReadonlyMap<string, T>; readonly aliases: ReadonlyMap<string, string> },
  names: readonly string[],
): T | undefined {
  for (const name of names) {
    const tensor = source.tensors.get(name) ?? source.tensors.get(source.aliases.get(name) ?? "");
    if (tensor !== undefined) return tensor;
  }
  return undefined;
}

function keyOf(node: SourceNode): string {
  return `${node.kind}\0${node.path}`;
}

function askHost(host: CompilerHost, node: SourceNode): Header | SourceProblem {
  switch (node.kind) {
    case "checkpoint":
      return host.readModel(node.path, node.display);
    case "adapter":
      return host.readAdapter(node.path, node.display);
    case "stored-vector":
      return host.readVector(node.path, node.display);
  }
}
