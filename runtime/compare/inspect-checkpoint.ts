// What is in a checkpoint: its tensors with what was asked for about their payloads, and totals.

import { basename } from "node:path";
import { isFloat, type TensorInfo } from "../../compiler/checkpoint.ts";
import { checkpointDigest } from "../checkpoint/theta-file.ts";
import type { AnyCheckpoint } from "./any-checkpoint.ts";
import { elementCount, namesOf } from "./names-of.ts";
import { settle, type Measured, type Payloads } from "./payloads.ts";

export interface InspectedTensor {
  readonly tensor: TensorInfo;
  /** File name of the shard. */
  readonly shard: string;
  /** Other names of it. */
  readonly tied: readonly string[];
  readonly parameters: number;
  /** `sha256:<hex>` of the payload, when digests were asked for. */
  readonly digest?: string;
  /** Of floating dtypes, when asked for. */
  readonly statistics?: ElementStatistics;
}

/** Over finite elements, in float64; undefined where that has no value: there are none, or it leaves float64. */
export interface ElementStatistics {
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly mean: number | undefined;
  readonly rms: number | undefined;
  readonly zeros: number;
  readonly nan: number;
  readonly inf: number;
}

export interface Totals {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly shards: number;
  /** Most bytes first. */
  readonly dtypes: readonly { readonly dtype: string; readonly tensors: number; readonly parameters: number }[];
}

export interface Inspection {
  /** In the order of the names. */
  readonly tensors: readonly InspectedTensor[];
  readonly totals: Totals;
  /** Of all tensors, as builds compute it of their outputs; when digests were asked for of all of them. */
  readonly digest?: string;
}

interface InspectOptions {
  readonly digests: boolean;
  readonly statistics: boolean;
}

/** Those tensors of which a name is `selected`. */
export function selectTensors(
  { tensors, aliases }: AnyCheckpoint,
  selected: (name: string) => boolean,
): readonly InspectedTensor[] {
  const tied = namesOf(aliases);
  return [...tensors.values()].flatMap((tensor) => {
    const others = tied.get(tensor.name) ?? [];
    if (![tensor.name, ...others].some(selected)) return [];
    return [{ tensor, shard: basename(tensor.file), tied: others, parameters: elementCount(tensor.shape) }];
  });
}

/** Nothing but headers. */
export function inspectHeaders(tensors: readonly InspectedTensor[]): Inspection {
  const dtypes = new Map<string, { tensors: number; parameters: number; bytes: number }>();
  const totals = { parameters: 0, bytes: 0 };
  for (const { tensor, parameters } of tensors) {
    const sum = dtypes.get(tensor.dtype) ?? { tensors: 0, parameters: 0, bytes: 0 };
    dtypes.set(tensor.dtype, sum);
    sum.tensors++;
    for (const one of [sum, totals]) {
      one.parameters += parameters;
      one.bytes += tensor.bytes;
    }
  }
  const byBytes = [...dtypes].sort(([, a], [, b]) => b.bytes - a.bytes);
  return {
    tensors,
    totals: {
      tensors: tensors.length,
      ...totals,
      shards: new Set(tensors.map(({ tensor }) => tensor.file)).size,
      dtypes: byBytes.map(([dtype, sum]) => ({ dtype, tensors: sum.tensors, parameters: sum.parameters })),
    },
  };
}

/** Reads payloads for what is asked for, each once. `whole`: these are all tensors of the checkpoint. */
export async function inspectPayloads(
  { tensors, totals }: Inspection,
  whole: boolean,
  payloads: Payloads,
  options: InspectOptions,
): Promise<Inspection> {
  const inspect = async (inspected: InspectedTensor): Promise<InspectedTensor> => {
    const { tensor } = inspected;
    const measured =
      options.statistics && isFloat(tensor.dtype) ? await payloads.measure(tensor, options.digests) : undefined;
    if (options.digests && payloads.digest(tensor) === undefined) await payloads.hash(tensor);
    const digest = options.digests ? payloads.digest(tensor) : undefined;
    return {
      ...inspected,
      ...(digest !== undefined && { digest }),
      ...(measured && { statistics: elementStatistics(measured) }),
    };
  };
  const known = await settle(tensors.map(inspect));
  const entries = known.flatMap(({ tensor: { name, dtype, shape }, digest }) =>
    digest === undefined ? [] : [{ name, dtype, shape, digest }],
  );
  return {
    tensors: known,
    totals,
    ...(whole && entries.length === known.length && { digest: checkpointDigest(entries) }),
  };
}

/** Bytes that `inspectPayloads` will read. */
export function bytesToRead(tensors: readonly InspectedTensor[], payloads: Payloads, options: InspectOptions): number {
  const isRead = ({ tensor }: InspectedTensor): boolean =>
    (options.statistics && isFloat(tensor.dtype)) || (options.digests && payloads.digest(tensor) === undefined);
  return tensors.filter(isRead).reduce((sum, { tensor }) => sum + tensor.bytes, 0);
}

function elementStatistics({ statistics, counters }: Measured): ElementStatistics {
  const { finite, zeros, least, largest, sum, squares } = statistics;
  return {
    min: finiteOrNothing(least),
    max: finiteOrNothing(largest),
    mean: finiteOrNothing(sum / finite),
    rms: finiteOrNothing(Math.sqrt(squares / finite)),
    zeros,
    nan: counters.nan,
    inf: counters.inf,
  };
}

function finiteOrNothing(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
