// `theta cache verify`: reads every stored and published tensor, and says what is not as it was recorded.

import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import type { Addon, Engine } from "../../../native/addon-types.ts";
import { EXIT, Failure } from "../../failure.ts";
import type { Drop, Finding } from "../../store/finding.ts";
import { repairStore } from "../../store/repair-store.ts";
import type { StorePaths } from "../../store/store-paths.ts";
import { verifyStore, type Verification } from "../../store/verify-store.ts";
import type { Flags } from "../invocation.ts";
import type { Settings } from "../settings.ts";
import { formatBytes, formatSeconds } from "../../size.ts";
import { isInteractive, writeJson, writeMessage } from "../terminal.ts";

export async function cacheVerify(
  addon: Addon,
  paths: StorePaths,
  settings: Settings,
  flags: Flags,
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const result = await verify(addon, paths, settings, flags, signal);
  const { findings } = result;
  const repaired = flags.repair === true && findings.length > 0;
  if (repaired) await repair(addon, paths, findings, signal);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) writeJson(toJson(paths, result, repaired, seconds));
  for (const finding of findings) writeMessage(describeFinding(finding, repaired));
  if (!flags.quiet) writeMessage(describe(result, repaired, seconds));
  return findings.length === 0 || repaired ? EXIT.done : EXIT.verification;
}

async function repair(
  addon: Addon,
  paths: StorePaths,
  findings: readonly Finding[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await repairStore(addon, paths, findings, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const details = { code: "store-not-writable", help: "run it as the user whose store it is" } as const;
    throw new Failure(EXIT.output, `the store ${paths.root} cannot be written: ${message}`, details, error);
  }
}

async function verify(
  addon: Addon,
  paths: StorePaths,
  { threads, memory, chunk }: Settings,
  flags: Flags,
  signal: AbortSignal,
): Promise<Verification> {
  const engine = addon.createEngine({ threads, memory, chunk });
  const cancel = (): void => engine.cancel();
  signal.addEventListener("abort", cancel);
  const progress = flags.quiet || flags.json ? undefined : showProgress(engine);
  const observer = { total: (files: number, bytes: number): void => progress?.total(files, bytes) };
  try {
    return await verifyStore(addon, engine, paths, observer, signal);
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== "memory") throw error;
    const details = { code: "out-of-memory", help: "raise --memory" } as const;
    throw new Failure(EXIT.resources, (error as Error).message, details, error);
  } finally {
    progress?.end();
    signal.removeEventListener("abort", cancel);
    engine.close();
  }
}

interface Shown {
  total(files: number, bytes: number): void;
  end(): void;
}

/** One line that is redrawn; where nobody looks, one every ten seconds. */
function showProgress(engine: Engine): Shown {
  const redraws = isInteractive();
  let wanted = 0;
  const draw = (): void => {
    const line = `  ${formatBytes(engine.progress().hashed)} of ${formatBytes(wanted)}`;
    writeMessage(redraws ? `\r\u001b[K${line}` : `${line}\n`);
  };
  const timer = setInterval(draw, redraws ? 200 : 10_000);
  return {
    total(files, bytes) {
      wanted = bytes;
      writeMessage(`Reading ${formatBytes(bytes)} in ${counted(files, "file")}\n`);
    },
    end() {
      clearInterval(timer);
      if (redraws) writeMessage("\r\u001b[K");
    },
  };
}

function describeFinding({ code, path, message, drop }: Finding, repaired: boolean): string {
  const help = repaired ? DONE[drop.kind] : TO_DO[drop.kind];
  return `error[${code}]: ${printable(path)} ${printable(message)}\n   ${repaired ? "" : "help: "}${help}\n`;
}

const TO_DO: Readonly<Record<Drop["kind"], string>> = {
  shard: "theta cache verify --repair drops the shard, and the next build makes it again",
  stamp:
    "theta cache verify --repair notes the new time stamp; without it, a build that could use the shard reads it first",
  index: "theta cache verify --repair drops the index, and makes it anew from the sidecars",
  entries: "theta cache verify --repair brings it in line with the sidecars",
  file: "theta cache verify --repair drops it, and the next build writes it again",
  published: "theta cache verify --repair forgets it, and the next build publishes it again",
  nothing: "the next build publishes it again",
};

const DONE: Readonly<Record<Drop["kind"], string>> = {
  shard: "dropped; the next build makes it again",
  stamp: "the new time stamp is noted",
  index: "dropped, and made anew from the sidecars",
  entries: "brought in line with the sidecars",
  file: "dropped; the next build writes it again",
  published: "forgotten; the next build publishes it again",
  nothing: "the next build publishes it again",
};

function describe({ shards, outputs, bytes, findings }: Verification, repaired: boolean, seconds: number): string {
  const read = `${counted(shards, "shard")} and ${counted(outputs, "output")}, ${formatBytes(bytes)}`;
  const good = findings.length === 0 ? "all as recorded" : `${counted(findings.length, "finding")}`;
  return `Verified ${read} in ${formatSeconds(seconds)}: ${good}${repaired ? ", repaired" : ""}\n`;
}

function toJson(
  paths: StorePaths,
  { shards, outputs, bytes, findings }: Verification,
  repaired: boolean,
  seconds: number,
): object {
  return {
    schema: "theta.cache-verify/1",
    store: paths.root,
    exists: true,
    ok: findings.length === 0,
    shards,
    outputs,
    bytes,
    seconds,
    repaired,
    findings: findings.map(({ code, path, message, tensors, drop }) => ({
      code,
      path,
      message,
      tensors,
      help: repaired ? DONE[drop.kind] : TO_DO[drop.kind],
    })),
  };
}
