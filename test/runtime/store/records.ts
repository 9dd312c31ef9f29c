// Records of tensors for tests of what keeps them.

import type { TensorRecord } from "../../../runtime/store/shard-record.ts";

export function tensorRecord(name: string, changes: Partial<TensorRecord> = {}): TensorRecord {
  return {
    name,
    dtype: "F32",
    shape: [2],
    offset: 8,
    bytes: 8,
    digest: `sha256:${name}`,
    key: `key of ${name}`,
    weak: `weak key of ${name}`,
    operations: "load",
    roles: ["base"],
    counters: { inputs: [], masks: [], overflow: 0, firstOverflow: -1, antiparallel: 0 },
    ...changes,
  };
}
