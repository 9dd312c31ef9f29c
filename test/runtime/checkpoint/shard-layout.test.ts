import { expect, test } from "vitest";
import { layoutShards } from "../../../runtime/checkpoint/shard-layout.ts";

const tensor = (name: string, bytes: number) => ({ name, dtype: "U8", shape: [bytes] });
const names = (sizes: Readonly<Record<string, number>>, shardSize?: number) =>
  layoutShards(
    Object.entries(sizes).map(([name, bytes]) => tensor(name, bytes)),
    shardSize,
  ).shards.map((shard) => `${shard.name}: ${shard.tensors.map(({ name }) => name).join(" ")}`);

test("fills shards in the order of names; a tensor beyond the limit is alone", () => {
  expect(names({ d: 4, a: 6, b: 4, c: 1, huge: 100, z: 1 }, 10)).toEqual([
    "model-00001-of-00004.safetensors: a b",
    "model-00002-of-00004.safetensors: c d",
    "model-00003-of-00004.safetensors: huge",
    "model-00004-of-00004.safetensors: z",
  ]);
});

test("below 1 GB there is one file without an index, unless the recipe says otherwise", () => {
  const small = layoutShards([tensor("a", 999_999_998), tensor("b", 1)]);
  expect(small.shards.map(({ name }) => name)).toEqual(["model.safetensors"]);
  expect(small.index).toBeUndefined();
  expect(names({ a: 1, b: 1 }, 1)).toHaveLength(2);
  expect(names({ a: 5, b: 5 }, 10)).toEqual(["model.safetensors: a b"]);
  expect(names({})).toEqual(["model.safetensors: "]);
});

test("above, a sixteenth of the whole within 256 MB and 5 GB", () => {
  const largest = (total: number): number => {
    const pieces = Array.from({ length: 200 }, (_, at) => tensor(`t${at}`, total / 200));
    return Math.max(
      ...layoutShards(pieces).shards.map((shard) => shard.tensors.reduce((sum, { bytes }) => sum + bytes, 0)),
    );
  };
  expect(largest(2e9)).toBe(250e6);
  expect(largest(16e9)).toBe(960e6);
  expect(largest(160e9)).toBe(4.8e9);
});

test("the index is what huggingface_hub writes", () => {
  const { index } = layoutShards([tensor("b", 2), tensor("7", 1), tensor("__proto__", 1)], 2);
  expect(index?.name).toBe("model.safetensors.index.json");
  expect(Buffer.from(index!.content).toString()).toBe(`{
  "metadata": {
    "total_size": 4
  },
  "weight_map": {
    "7": "model-00001-of-00002.safetensors",
    "__proto__": "model-00001-of-00002.safetensors",
    "b": "model-00002-of-00002.safetensors"
  }
}
`);
});
