// `theta cache status`: what lies in the store, who needs it, and what garbage collection would free.

import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import type { Addon } from "../../../native/addon-types.ts";
import { EXIT } from "../../failure.ts";
import { DEFAULT_MAX_AGE } from "../../store/choose-victims.ts";
import { findGarbage, type Garbage } from "../../store/collect-garbage.ts";
import { disagreements, readIndexContent } from "../../store/index-content.ts";
import { storedFiles } from "../../store/promised-files.ts";
import type { StorePaths } from "../../store/store-paths.ts";
import type { ShardUsage, StoreUsage } from "../../store/store-usage.ts";
import type { Flags } from "../invocation.ts";
import { formatBytes } from "../../size.ts";
import { writeJson, writeOutput } from "../terminal.ts";

/** `behind`: the next build brings it in line; `missing`: it makes it anew. */
type IndexState = "in-order" | "behind" | "missing" | "damaged";

interface Status {
  readonly usage: StoreUsage;
  readonly garbage: Garbage;
  readonly tensors: number;
  readonly index: IndexState;
}

export async function cacheStatus(addon: Addon, paths: StorePaths, flags: Flags, signal: AbortSignal): Promise<number> {
  const bounds = { maxSize: undefined, maxAge: DEFAULT_MAX_AGE };
  const { usage, garbage } = await findGarbage(addon, paths, bounds, signal);
  const { files, sidecars } = storedFiles(paths);
  const content = await readIndexContent(paths.index);
  const agrees = content.state === "readable" && disagreements(content.shards, sidecars).length === 0;
  const index = content.state !== "readable" ? content.state : agrees ? "in-order" : "behind";
  const tensors = files.reduce((sum, { record }) => sum + record.tensors.length, 0);
  const status = { usage, garbage, tensors, index } as const;
  if (flags.json) writeJson(toJson(paths, status));
  else if (!flags.quiet) writeOutput(describe(paths, status));
  return EXIT.done;
}

function describe(paths: StorePaths, { usage, garbage, tensors, index }: Status): string {
  const { shards, outputs, partials, statistics } = usage;
  const held = shards.filter(({ inOutput }) => inOutput);
  const history = shards.filter(({ inOutput }) => !inOutput);
  const exist = outputs.filter(({ exists }) => exists).length;
  const lines = [
    ["stored", `${counted(shards.length, "shard")}, ${counted(tensors, "tensor")}, ${bytesOf(shards, "bytes")}`],
    ["in use", `${counted(held.length, "shard")} by ${counted(exist, "output")}, ${bytesOf(held, "bytes")}`],
    ["shared", `${bytesOf(shards, "shared")} with outputs or each other, which deleting here does not free`],
    [
      "history",
      `${counted(history.length, "shard")}, ${bytesOf(history, "frees")}; at most ${formatBytes(garbage.maxSize)} stay`,
    ],
    ...(shards.length > 0 ? [["last used", `${useOf(shards, Math.min)} (oldest) to ${useOf(shards, Math.max)}`]] : []),
    ["unfinished", unfinished(partials)],
    ...(statistics.length > 0
      ? [["statistics", `${counted(statistics.length, "file")}, ${formatBytes(sizeOf(statistics))}`]]
      : []),
    ["records", records(usage)],
    ["index", `${INDEX_WORDS[index]}${index === "missing" ? "" : `; ${formatBytes(usage.indexBytes)}`}`],
    ["garbage", `theta cache gc frees ${formatBytes(garbage.freed)}`],
  ];
  const rows = lines.map(([name = "", value = ""]) => `  ${name.padEnd(12)}${value}`);
  return `${[`Store ${printable(paths.root)}`, ...rows].join("\n")}\n`;
}

const INDEX_WORDS: Readonly<Record<IndexState, string>> = {
  "in-order": "in order",
  behind: "differs from the sidecars; the next build brings it in line",
  missing: "not there; the next build makes it from the sidecars",
  damaged: "damaged; the next build makes it anew from the sidecars",
};

function unfinished(partials: StoreUsage["partials"]): string {
  if (partials.length === 0) return "nothing";
  const tensors = partials.reduce((sum, partial) => sum + partial.tensors, 0);
  const bytes = partials.reduce((sum, partial) => sum + partial.bytes, 0);
  const many = counted(partials.length, "shard");
  return `${many}, ${counted(tensors, "finished tensor")}, ${formatBytes(bytes)}; the next build goes on with them`;
}

/** What has no payload: what builds did, and what outputs hold. */
function records({ builds, outputs }: StoreUsage): string {
  const ofOutputs = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    `${counted(builds.files, "build")}, ${formatBytes(builds.bytes)}; ` +
    `${counted(outputs.length, "output")}, ${formatBytes(ofOutputs)}`
  );
}

function sizeOf(files: StoreUsage["statistics"]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bytesOf(shards: readonly ShardUsage[], what: "bytes" | "shared" | "frees"): string {
  return formatBytes(total(shards, what));
}

function total(shards: readonly ShardUsage[], what: "bytes" | "shared" | "frees"): number {
  return shards.reduce((sum, shard) => sum + shard[what], 0);
}

/** RFC 3339. */
function useOf(shards: readonly ShardUsage[], choose: (...times: number[]) => number): string {
  return new Date(shards.reduce((found, { lastUse }) => choose(found, lastUse), shards[0]!.lastUse)).toISOString();
}

function toJson(paths: StorePaths, { usage, garbage, tensors, index }: Status): object {
  const { shards, outputs, partials, statistics, builds, indexBytes, free } = usage;
  const held = shards.filter(({ inOutput }) => inOutput);
  const history = shards.filter(({ inOutput }) => !inOutput);
  return {
    schema: "theta.cache-status/1",
    store: paths.root,
    exists: true,
    shards: shards.length,
    tensors,
    bytes: total(shards, "bytes"),
    shared_bytes: total(shards, "shared"),
    in_use: { shards: held.length, bytes: total(held, "bytes") },
    history: { shards: history.length, bytes: total(history, "frees"), max_bytes: garbage.maxSize },
    oldest_use: shards.length > 0 ? useOf(shards, Math.min) : null,
    last_use: shards.length > 0 ? useOf(shards, Math.max) : null,
    outputs: outputs.map(({ exists, record }) => ({ path: record.path, exists, published: record.published })),
    partials: partials.map(({ id, bytes, tensors: finished, lastWrite }) => ({
      id,
      bytes,
      tensors: finished,
      last_write: new Date(lastWrite).toISOString(),
    })),
    statistics: { files: statistics.length, bytes: sizeOf(statistics) },
    builds: { files: builds.files, bytes: builds.bytes },
    output_records: { files: outputs.length, bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0) },
    index,
    index_bytes: indexBytes,
    garbage_bytes: garbage.freed,
    free_bytes: free,
  };
}
