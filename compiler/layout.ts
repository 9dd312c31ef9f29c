// Which tensors a model has, before any arithmetic: a checkpoint's own, or those of layers stacked anew. Every layout is
// about headers; who computes what stands in lower/.

import type { Checkpoint, TensorInfo } from "./checkpoint.ts";
import type { CheckpointNode, ModelNode } from "./recipe-graph.ts";

export interface LayoutTensor {
  /** What dtype and shape are taken from. */
  readonly node: CheckpointNode;
  readonly tensor: TensorInfo;
  /** Of a stack: the model that gives the value, and the tensor's name there. */
  readonly from?: { readonly model: ModelNode; readonly name: string };
}

/** Where a layer of a stack was before: layer `layer` of the checkpoint. */
export interface LayerOrigin {
  readonly node: CheckpointNode;
  readonly layer: number;
}

export interface Layout {
  /** By stored name, sorted by bytes. */
  readonly tensors: ReadonlyMap<string, LayoutTensor>;
  /** Other name → stored name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Of every layer stack that was put together anew: where its layers come from, in order. */
  readonly stacked: ReadonlyMap<string, readonly LayerOrigin[]>;
  /** How many stacks are inside each other. */
  readonly nesting: number;
}

export function layoutOfCheckpoint(node: CheckpointNode, { tensors, aliases }: Checkpoint): Layout {
  const own = new Map([...tensors].map(([name, tensor]) => [name, { node, tensor }]));
  return { tensors: own, aliases, stacked: new Map(), nesting: 0 };
}
