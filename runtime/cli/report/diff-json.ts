// `theta diff --json`, schema theta.diff/1: every tensor, null for what has no value.

import type { TensorInfo } from "../../../compiler/checkpoint.ts";
import type { AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import type { Change } from "../../compare/change.ts";
import { DIFF_STATES, type TensorDiff } from "../../compare/diff-checkpoints.ts";
import type { DiffReport } from "./diff-text.ts";

export function diffJson({ a, b, diffs, bytesRead, seconds }: DiffReport): object {
  const count = (state: TensorDiff["state"]): number => diffs.filter((diff) => diff.state === state).length;
  return {
    schema: "theta.diff/1",
    a: sideJson(a),
    b: sideJson(b),
    same: diffs.every(({ state }) => state === "same"),
    counts: Object.fromEntries(DIFF_STATES.map((state) => [state.replace("-", "_"), count(state)])),
    bytes: { read: bytesRead },
    seconds,
    tensors: diffs.map(diffToJson),
  };
}

function sideJson({ display, kind, tensors }: AnyCheckpoint): object {
  return { path: display, kind, tensors: tensors.size };
}

function diffToJson({ pair: { name, tied, a, b }, state, change }: TensorDiff): object {
  return {
    name,
    tied,
    state: state.replace("-", "_"),
    a: tensorJson(a),
    b: tensorJson(b),
    ...(change && changeJson(change)),
  };
}

function tensorJson(tensor: TensorInfo | undefined): object | null {
  return tensor === undefined ? null : { dtype: tensor.dtype, shape: tensor.shape };
}

function changeJson({ elements, changed, max, mean, relative, cosine, notFinite }: Change): object {
  return {
    elements,
    changed: changed ?? null,
    changed_share: changed === undefined || elements === 0 ? null : changed / elements,
    max: max ?? null,
    mean: mean ?? null,
    relative: relative ?? null,
    cosine: cosine ?? null,
    not_finite: notFinite,
  };
}
