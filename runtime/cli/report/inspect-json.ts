// `theta inspect --json`, schema theta.inspect/1: sizes in bytes, null for what has no value.

import type { AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import type { InspectedTensor, Inspection } from "../../compare/inspect-checkpoint.ts";

export function inspectJson(checkpoint: AnyCheckpoint, { tensors, totals, digest }: Inspection): object {
  const { architecture, modelType, layers, quantization, adapter, output } = checkpoint.facts;
  return {
    schema: "theta.inspect/1",
    path: checkpoint.display,
    kind: checkpoint.kind,
    ...(digest !== undefined && { digest }),
    totals,
    config: {
      architecture: architecture ?? null,
      model_type: modelType ?? null,
      layers: layers ?? null,
      quantization: quantization ?? null,
    },
    ...(adapter && { adapter: { ...adapter, base: adapter.base ?? null } }),
    ...(output && {
      output: {
        digest: output.digest ?? null,
        recipe: output.recipe ?? null,
        inputs: output.inputs.map(({ source, digest: ofInput }) => ({ source, digest: ofInput ?? null })),
        base_digest: output.baseDigest ?? null,
        theta: output.version ?? null,
      },
    }),
    tensors: tensors.map(tensorJson),
  };
}

function tensorJson({ tensor, shard, tied, parameters, digest, statistics }: InspectedTensor): object {
  const { name, dtype, shape, bytes } = tensor;
  return {
    name,
    dtype,
    shape,
    parameters,
    bytes,
    shard,
    tied,
    ...(digest !== undefined && { digest }),
    ...(statistics && {
      statistics: {
        min: statistics.min ?? null,
        max: statistics.max ?? null,
        mean: statistics.mean ?? null,
        rms: statistics.rms ?? null,
        zeros: statistics.zeros,
        nan: statistics.nan,
        inf: statistics.inf,
      },
    }),
  };
}
