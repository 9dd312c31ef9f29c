// What the store says is not believed when the bytes say otherwise.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import Sqlite from "libsql";
import { expect, test } from "vitest";
import { readIndexContent } from "../../../runtime/store/index-content.ts";
import { sha256 } from "../../../runtime/store/sha256.ts";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

const RECIPE = { outputs: ["dist/m"] };
const NAMES = ["a", "b", "c", "d", "e", "f"];

function model(value: number, side = 30): TestTensors {
  const values = (at: number): number[] => Array.from({ length: side * side }, (_, index) => value + at * index);
  return Object.fromEntries(NAMES.map((name, at) => [name, f32([side, side], values(at))]));
}

function only(folder: string, ending: string): string {
  const [name, ...more] = readdirSync(space.path(folder)).filter((file) => file.endsWith(ending));
  expect(more).toEqual([]);
  return space.path(folder, name!);
}

/** Flips the last bit of a file, which is in tensor f, where no time stamp shows it. */
function flipUnseen(file: string): void {
  const reference = space.path("reference");
  copyFileSync(file, reference);
  execFileSync("touch", ["-r", file, reference]);
  chmodSync(file, 0o644);
  const bytes = readFileSync(file);
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.of(bytes.at(-1)! ^ 1), 0, 1, bytes.length - 1);
  closeSync(fd);
  execFileSync("touch", ["-r", reference, file]);
}

function inIndex(...statements: readonly string[]): void {
  const db = new Sqlite(space.path(".theta/index.sqlite"));
  for (const statement of statements) expect(db.prepare(statement).run().changes).toBeGreaterThan(0);
  db.close();
}

test("digests that the index has of one input are not believed of another", async () => {
  await space.build(RECIPE);
  inIndex(`UPDATE input SET digests = (SELECT digests FROM input AS other WHERE other.file <> input.file)`);
  expect((await space.build(RECIPE)).actions).toMatchObject({ run: 0, up_to_date: NAMES.length });
  expect((await space.plan(RECIPE)).counts).toMatchObject({ run: 0, unknown: 0 });
});

test("force finds a false digest of an input, though its checksum fits, and forgets it", async () => {
  await space.build(RECIPE);
  const index = new Sqlite(space.path(".theta/index.sqlite"));
  const row = index.prepare("SELECT file, digests FROM input").get() as { file: string; digests: string };
  const line = row.digests.split("\n")[0]!.replaceAll(/sha256:..../g, "sha256:0000");
  index.prepare("UPDATE input SET digests = ? WHERE file = ?").run(`${line}\n${sha256(line)}\n`, row.file);
  index.close();
  const forced = space.build(RECIPE, { force: true });
  await expect(forced).rejects.toMatchObject({ exitCode: 3, details: { code: "input-digest-false" } });
  await space.build(RECIPE, { force: true });
  expect((await space.build(RECIPE)).actions).toMatchObject({ run: 0, up_to_date: NAMES.length });
});

test("a shard whose row somebody deleted is in the index again, with its own actions alone", async () => {
  await space.build({ outputs: ["dist/l", "dist/m"], weights: { "dist/l": 0.1 } });
  const before = await readIndexContent(space.path(".theta/index.sqlite"));
  inIndex("INSERT INTO action SELECT key, 3 - shard, weak FROM action", "DELETE FROM shard");
  await space.build({ outputs: ["dist/l", "dist/m"], weights: { "dist/l": 0.1 } });
  const after = await readIndexContent(space.path(".theta/index.sqlite"));
  expect(after).toEqual(before);
});

test("a flipped bit that no time stamp shows is found when the bytes are copied; only that tensor runs again", async () => {
  await space.build(RECIPE);
  const clean = readFileSync(space.path("dist/m/model.safetensors"));
  rmSync(space.path("dist"), { recursive: true });
  flipUnseen(only(".theta/shards", ".safetensors"));
  const cut = await space.build({ ...RECIPE, shard: 3600 });
  expect(cut.ran).toEqual(["f"]);
  const last = readFileSync(space.path("dist/m/model-00006-of-00006.safetensors"));
  expect(last.subarray(-3600)).toEqual(clean.subarray(-3600));
});

test("an action that gives other bits than its record says is exit code 3, and the record stays", async () => {
  await space.build(RECIPE);
  rmSync(space.path("dist"), { recursive: true });
  rmSync(space.path(".theta/shards"), { recursive: true });
  const record = only(".theta/outputs", ".json");
  const [content = ""] = readFileSync(record, "utf8").split("\n");
  const line = content.replace(/sha256:[0-9a-f]{4}(?=[0-9a-f]{60}","key")/, "sha256:0000");
  const planted = `${line}\n${sha256(line)}\n`;
  writeFileSync(record, planted);
  await expect(space.build(RECIPE)).rejects.toMatchObject({ exitCode: 3, details: { code: "other-bits" } });
  expect(readFileSync(record, "utf8")).toBe(planted);
});

test("after a reboot, what a journal says was written is read again", async () => {
  // Big enough not to be finished before the cancellation arrives.
  space.write("base", model(1, 1000));
  space.write("tune", model(3, 1000));
  const stop = new AbortController();
  const slow = { engine: { threads: 1, memory: 64 * 2 ** 20, chunk: 2 ** 16 } };
  let left = 2;
  const actionDone = (): void => void (--left === 0 && stop.abort());
  await expect(space.build(RECIPE, slow, stop.signal, { actionDone })).rejects.toThrow();
  const journal = only(".theta/partial", ".journal");
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  const header = lines[0]!.slice(17).replace(/"boot":"[^"]*"/, '"boot":"another"');
  writeFileSync(journal, [`${sha256(header).slice(0, 16)} ${header}`, ...lines.slice(1), ""].join("\n"));
  // The machine lost what the first of the finished tensors had in its cache.
  const lost = JSON.parse(lines[1]!.slice(17)) as { readonly name: string; readonly offset: number };
  const fd = openSync(only(".theta/partial", ".partial"), "r+");
  writeSync(fd, Buffer.alloc(64), 0, 64, lost.offset);
  closeSync(fd);
  const result = await space.build(RECIPE);
  expect(result.ran).toContain(lost.name);
  expect(result.actions.run).toBeLessThanOrEqual(NAMES.length - 1);
  await space.build({ outputs: ["clean/m"] }, { store: space.path("other-store") });
  // Millions of bytes: expect(…).toEqual() would walk them for minutes.
  const merged = readFileSync(space.path("dist/m/model.safetensors"));
  expect(merged.equals(readFileSync(space.path("clean/m/model.safetensors")))).toBe(true);
});
