// `theta cache gc`: deletes what no output and no running build needs.

import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import type { Addon } from "../../../native/addon-types.ts";
import { EXIT, Failure } from "../../failure.ts";
import { DEFAULT_MAX_AGE, type Bounds } from "../../store/choose-victims.ts";
import { collectGarbage, findGarbage, type Garbage } from "../../store/collect-garbage.ts";
import { withStore } from "../../store/store.ts";
import type { StorePaths } from "../../store/store-paths.ts";
import { AGE_EXAMPLES, formatAge, parseAge } from "../age.ts";
import type { Flags } from "../invocation.ts";
import { formatBytes, parseSize, SIZE_EXAMPLES } from "../../size.ts";
import { writeJson, writeOutput } from "../terminal.ts";

export async function cacheGc(
  addon: Addon,
  paths: StorePaths,
  bounds: Bounds,
  flags: Flags,
  signal: AbortSignal,
): Promise<number> {
  const dryRun = flags.dryRun ?? false;
  const garbage = dryRun
    ? (await findGarbage(addon, paths, bounds, signal)).garbage
    : await collect(addon, paths, bounds, signal);
  if (flags.json) {
    writeJson({ schema: "theta.cache-gc/1", store: paths.root, exists: true, ...toJson(garbage, dryRun) });
  } else if (!flags.quiet) writeOutput(describe(paths, garbage, bounds, dryRun, flags.verbose ?? false));
  return EXIT.done;
}

async function collect(addon: Addon, paths: StorePaths, bounds: Bounds, signal: AbortSignal): Promise<Garbage> {
  try {
    return await withStore(paths.root, addon, (store) => collectGarbage(addon, store, bounds, signal));
  } catch (error) {
    signal.throwIfAborted();
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const help = "run it as the user whose store it is";
    throw new Failure(
      EXIT.output,
      `the store ${paths.root} cannot be written: ${message}`,
      { code: "store-not-writable", help },
      error,
    );
  }
}

/** Throws a Failure (64) saying what a size or an age looks like. */
export function readBounds({ maxSize, maxAge }: Flags): Bounds {
  const bad = (flag: string, examples: string, text: string): Failure =>
    new Failure(EXIT.usage, `${flag} must be ${examples}, not ${JSON.stringify(text)}`, { code: "usage" });
  const size = maxSize === undefined ? undefined : parseSize(maxSize);
  if (maxSize !== undefined && size === undefined) throw bad("--max-size", SIZE_EXAMPLES, maxSize);
  const age = maxAge === undefined ? DEFAULT_MAX_AGE : parseAge(maxAge);
  if (age === undefined) throw bad("--max-age", AGE_EXAMPLES, maxAge!);
  return { maxSize: size, maxAge: age };
}

function describe(
  paths: StorePaths,
  { victims, history, maxSize, abandoned, forgotten, statistics, freed }: Garbage,
  bounds: Bounds,
  dryRun: boolean,
  verbose: boolean,
): string {
  const count = (because: "age" | "size"): number => victims.filter((victim) => victim.because === because).length;
  const parts = [
    [count("age"), `not needed for ${formatAge(bounds.maxAge)}`],
    [count("size"), `to keep history within ${formatBytes(maxSize)}`],
    [abandoned.length, "begun and given up"],
  ] as const;
  const shards = parts.filter(([many]) => many > 0).map(([many, why]) => `${counted(many, "shard")} ${why}`);
  if (forgotten.length > 0) {
    shards.push(counted(forgotten.length, "record of outputs that are gone", "records of outputs that are gone"));
  }
  if (statistics.length > 0) shards.push(counted(statistics.length, "file of statistics", "files of statistics"));
  const lines = [`${dryRun ? "Would free" : "Freed"} ${formatBytes(freed)} in ${printable(paths.root)}`];
  for (const part of shards) lines.push(`  ${part}`);
  if (verbose) {
    for (const { shard, because } of victims) {
      lines.push(
        `    ${shard.digest}  ${formatBytes(shard.frees)}  ${new Date(shard.lastUse).toISOString()}  ${because}`,
      );
    }
  }
  lines.push(`  ${formatBytes(history)} of history ${dryRun ? "would stay" : "stay"}`);
  return `${lines.join("\n")}\n`;
}

function toJson(
  { victims, history, maxSize, abandoned, forgotten, statistics, freed }: Garbage,
  dryRun: boolean,
): object {
  return {
    dry_run: dryRun,
    freed,
    shards: victims.map(({ shard, because }) => ({
      digest: `sha256:${shard.digest}`,
      freed: shard.frees,
      last_use: new Date(shard.lastUse).toISOString(),
      because,
    })),
    partials: abandoned.map(({ id, bytes }) => ({ id, freed: bytes })),
    statistics: statistics.length,
    forgotten_outputs: forgotten.map(({ record }) => record.path),
    history: { bytes: history, max_bytes: maxSize },
  };
}
