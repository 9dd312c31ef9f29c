// Tasks for the addon, most of them wrong somewhere: it must answer with a result or an Error that has a code. A crash
// ends the process, so these run in one of their own (run.mjs).

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, NativeTask } from "../../native/addon-types.ts";
import { loadAddon } from "../../native/index.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { makeTask, type Json } from "./task.ts";

const PAYLOAD = 1 << 14;
const CODES = ["input", "io", "memory"];

/** Bigints, NaN, bytes and descriptors, which JSON does not have, are strings that begin with their kind. */
function revive(value: Json, descriptors: Readonly<Record<string, number>>): unknown {
  if (typeof value === "string") {
    const [, kind, text = ""] = /^(bigint|number|fd|bytes):(.*)$/.exec(value) ?? [];
    if (kind === "bigint") return BigInt(text);
    if (kind === "number") return text === "undefined" ? undefined : Number(text);
    if (kind === "bytes") return Uint8Array.from(Buffer.from(text, "hex"));
    return kind === "fd" ? descriptors[text] : value;
  }
  if (Array.isArray(value)) return value.map((element) => revive(element as Json, descriptors));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner, descriptors)]));
}

function checkError(error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!CODES.includes(code)) throw new Error("an error without a code that the engine has", { cause: error });
}

async function checkTask(input: Json, engine: Engine, descriptors: Readonly<Record<string, number>>): Promise<void> {
  const task = revive(input, descriptors) as NativeTask;
  try {
    const peak = engine.needs(task).memory;
    if (!(peak >= 0)) throw new Error(`peak is ${peak}`);
  } catch (error) {
    checkError(error);
  }
  await engine.run(task).then(
    ({ inputDigests }) => {
      if (!Array.isArray(inputDigests)) throw new Error("no digests");
    },
    (error: unknown) => checkError(error),
  );
}

export function tasks(): Fuzzer<Json> {
  const folder = mkdtempSync(join(tmpdir(), "theta-fuzz-"));
  const payload = new Uint8Array(PAYLOAD).map((_, index) => (index * 73) % 63);
  writeFileSync(join(folder, "in"), payload);
  writeFileSync(join(folder, "out"), payload);
  // What is read is never written, so no task can feed itself.
  const descriptors = { in: openSync(join(folder, "in"), "r"), out: openSync(join(folder, "out"), "r+") };
  const engine = loadAddon().createEngine({ threads: 2, memory: 32 << 20, chunk: 4096 });
  return {
    choices: 160,
    make: makeTask,
    check: (input) => checkTask(input, engine, descriptors),
    close: () => {
      engine.close();
      Object.values(descriptors).forEach((fd) => closeSync(fd));
      rmSync(folder, { recursive: true });
    },
  };
}
