// Finds the sizes of vectors, Σ|τ| over all tensors: in one reading, and after a change of one tensor in a reading of that one.

import { memberKey } from "../../../compiler/action-key.ts";
import type { SizeStatistic } from "../../../compiler/tensor-graph.ts";
import type { Engine } from "../../../native/addon-types.ts";
import type { StatisticStore } from "../../store/statistic-store.ts";
import type { InputFiles } from "../input-files.ts";
import type { GatherRequest } from "./gather-task.ts";
import { gather } from "./gather.ts";
import type { Rankings } from "./rankings.ts";
import { keyOf, memberKeyOf, missingOf } from "./statistic-standings.ts";

export interface FoundSize {
  readonly key: string;
  readonly size: number;
}

interface Means {
  readonly engine: Engine;
  readonly inputs: InputFiles;
  readonly rankings: Rankings;
  readonly store: StatisticStore;
  /** For messages. */
  readonly storeRoot: string;
  /** Look at every tensor, whatever is stored. */
  readonly force: boolean;
  readonly keepGoing: boolean;
}

/** Throws a Failure: 1 where NaN or infinity is an error, 66 an input, 71 memory. The engine is cancelled then, or not: see `gather`. */
export async function findSizes(statistics: readonly SizeStatistic[], means: Means): Promise<readonly FoundSize[]> {
  const { engine, inputs, rankings, store, storeRoot, force, keepGoing } = means;
  const works = statistics.map((statistic) => {
    const sizes = statistic.members.map((member) => {
      if (force || missingOf(member, inputs).length > 0) return undefined;
      const weak = memberKey(statistic, member, "unknown");
      return store.knowsWeak(weak) ? store.part(weak, memberKeyOf(statistic, member, inputs))?.size : undefined;
    });
    return { statistic, sizes, read: new Set(sizes.flatMap((size, index) => (size === undefined ? [index] : []))) };
  });
  const requests = works.flatMap(({ statistic, sizes, read }) =>
    [...read].map((index): GatherRequest => ({
      member: statistic.members[index]!,
      takeSize: (size) => void (sizes[index] = size),
    })),
  );
  await gather(engine, inputs, rankings, requests, undefined, storeRoot, keepGoing);
  return works.map(({ statistic, sizes, read }) => {
    for (const index of read) {
      const member = statistic.members[index]!;
      const keys = [memberKey(statistic, member, "unknown"), memberKeyOf(statistic, member, inputs)] as const;
      store.savePart(...keys, { size: sizes[index]! });
    }
    const key = keyOf(statistic, inputs);
    const size = sizes.reduce<number>((sum, one) => sum + one!, 0);
    store.saveValue(key, size);
    return { key, size };
  });
}
