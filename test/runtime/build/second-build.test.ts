// A build makes what the recipe says; the next one does nothing it need not do.

import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { f32, type TestTensors } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";
import { Workspace } from "./workspace.ts";

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("tune", model(3));
});

/** Four tensors; `odd` replaces the first element of one of them. */
function model(value: number, odd: Readonly<Record<string, number>> = {}): TestTensors {
  const tensors: Record<string, ReturnType<typeof f32>> = {};
  for (const [position, name] of ["a", "b", "c", "d"].entries()) {
    const values = Array.from({ length: 600 }, (_, index) => value + position * index);
    values[0] = odd[name] ?? values[0]!;
    tensors[name] = f32([20, 30], values);
  }
  return tensors;
}

/** Bytes of a published output, less its time-free side files. */
function weights(output: string): Buffer {
  return readFileSync(space.path(output, "model.safetensors"));
}

const NOTHING = { read: 0, hashed: 0, written: 0, copied: 0 };

describe("a first build", () => {
  test("writes the merge, its side files and a summary", async () => {
    const result = await space.build({ outputs: ["dist/m"] });
    expect(result.status).toBe("done");
    expect(result.actions).toEqual({ run: 4, up_to_date: 0, cutoff: 0, local_hit: 0, remote_hit: 0 });
    expect(result.outputs).toEqual([
      { path: "dist/m", tensors: 4, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string },
    ]);
    const bytes = weights("dist/m");
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    expect(bytes.readFloatLE(start)).toBe(2);
    expect(JSON.parse(readFileSync(space.path("dist/m/theta.json"), "utf8"))).toMatchObject({
      digest: result.outputs[0]!.digest,
      files: ["README.md", "model.safetensors"],
    });
  });

  test("keeps one copy of the bytes: the output is a link to the store's shard", async () => {
    await space.build({ outputs: ["dist/m"] });
    expect(statSync(space.path("dist/m/model.safetensors")).nlink).toBe(2);
  });
});

describe("the next build", () => {
  test("of the same recipe runs nothing and reads nothing", async () => {
    await space.build({ outputs: ["dist/m"] });
    const again = await space.build({ outputs: ["dist/m"] });
    expect(again.actions).toMatchObject({ run: 0, up_to_date: 4, local_hit: 0 });
    expect(again.bytes).toEqual(NOTHING);
    expect(again.phases).toEqual(["look-up"]);
  });

  test("after one tensor changed runs one action, and writes no shard but that tensor's", async () => {
    const recipe = { outputs: ["dist/m"], shard: 2400 * 2 };
    await space.build(recipe);
    const untouched = statSync(space.path("dist/m/model-00001-of-00002.safetensors")).ino;
    space.write("tune", model(3, { c: 9 }));
    const again = await space.build(recipe);
    expect(again.ran).toEqual(["c"]);
    expect(again.actions).toMatchObject({ run: 1, up_to_date: 3 });
    expect(statSync(space.path("dist/m/model-00001-of-00002.safetensors")).ino).toBe(untouched);
    expect(again.bytes.written).toBe(2400);
    expect(again.bytes.copied).toBe(2400);
  });

  test("after the inputs were only touched hashes them and runs nothing", async () => {
    await space.build({ outputs: ["dist/m"] });
    utimesSync(space.path("tune/model.safetensors"), 1, 1);
    const again = await space.build({ outputs: ["dist/m"] });
    expect(again.actions).toMatchObject({ run: 0, up_to_date: 4 });
    expect(again.bytes).toMatchObject({ hashed: 9600, written: 0 });
    expect((await space.build({ outputs: ["dist/m"] })).bytes).toEqual(NOTHING);
  });

  test("with another weight runs all; going back runs nothing", async () => {
    await space.build({ outputs: ["dist/m"] });
    const first = weights("dist/m");
    expect((await space.build({ outputs: ["dist/m"], weight: 0.25 })).actions.run).toBe(4);
    expect(weights("dist/m")).not.toEqual(first);
    const back = await space.build({ outputs: ["dist/m"] });
    expect(back.actions).toMatchObject({ run: 0, local_hit: 4 });
    expect(back.bytes).toEqual(NOTHING);
    expect(weights("dist/m")).toEqual(first);
  });
});

describe("what is lost is made again from what is left", () => {
  test("the index: nothing runs, inputs are hashed once", async () => {
    await space.build({ outputs: ["dist/m"] });
    rmSync(space.path(".theta/index.sqlite"));
    expect((await space.build({ outputs: ["dist/m"] })).actions.run).toBe(0);
    expect((await space.build({ outputs: ["dist/m"] })).bytes).toEqual(NOTHING);
  });

  test("a damaged index", async () => {
    await space.build({ outputs: ["dist/m"] });
    for (const name of ["index.sqlite-wal", "index.sqlite-shm"]) rmSync(space.path(".theta", name), { force: true });
    writeFileSync(space.path(".theta/index.sqlite"), "this is no database, whatever its name says".repeat(100));
    expect((await space.build({ outputs: ["dist/m"] })).actions.run).toBe(0);
  });

  test("the output: by links, no payload is read", async () => {
    await space.build({ outputs: ["dist/m"] });
    const first = weights("dist/m");
    rmSync(space.path("dist"), { recursive: true });
    const again = await space.build({ outputs: ["dist/m"] });
    expect(again.actions.run).toBe(0);
    expect(again.bytes).toEqual(NOTHING);
    expect(again.published).toEqual(["dist/m"]);
    expect(weights("dist/m")).toEqual(first);
  });

  test("the store: everything, and the output stays ours", async () => {
    await space.build({ outputs: ["dist/m"] });
    const first = weights("dist/m");
    rmSync(space.path(".theta"), { recursive: true });
    expect((await space.build({ outputs: ["dist/m"] })).actions.run).toBe(4);
    expect(weights("dist/m")).toEqual(first);
  });

  test("the store's shards: the published ones serve", async () => {
    await space.build({ outputs: ["dist/m"] });
    rmSync(space.path(".theta/shards"), { recursive: true });
    expect((await space.build({ outputs: ["dist/m"] })).bytes).toEqual(NOTHING);
  });

  test("an output edited in place: its bytes are never served again", async () => {
    await space.build({ outputs: ["dist/m"] });
    const first = weights("dist/m");
    const file = space.path("dist/m/model.safetensors");
    chmodSync(file, 0o644);
    const edited = Buffer.from(first);
    edited[edited.length - 1]! ^= 1;
    writeFileSync(file, edited);
    const again = await space.build({ outputs: ["dist/m", "dist/other"] });
    expect(again.actions.run).toBe(4);
    expect(weights("dist/m")).toEqual(first);
    expect(weights("dist/other")).toEqual(first);
  });

  test("a side file that was edited or removed", async () => {
    await space.build({ outputs: ["dist/m"] });
    writeFileSync(space.path("dist/m/README.md"), "mine now");
    const again = await space.build({ outputs: ["dist/m"] });
    expect(again.bytes).toEqual(NOTHING);
    expect(again.published).toEqual(["dist/m"]);
    expect(readFileSync(space.path("dist/m/README.md"), "utf8")).toContain("# m");
    expect(again.diagnostics).toMatchObject([
      { code: "edited-side-file", message: expect.stringContaining('README.md of "dist/m" was changed') as string },
    ]);
    // The same bytes once more, what is written now, and a file that is gone, are no loss.
    const card = readFileSync(space.path("dist/m/README.md"));
    rmSync(space.path("dist/m/README.md"));
    rmSync(space.path("dist/m/theta.json"));
    writeFileSync(space.path("dist/m/README.md"), card);
    expect((await space.build({ outputs: ["dist/m"] })).diagnostics).toEqual([]);
    const other = { outputs: ["dist/m"], weight: 1 };
    await space.build(other);
    const next = readFileSync(space.path("dist/m/README.md"));
    await space.build({ outputs: ["dist/m"] });
    rmSync(space.path("dist/m/README.md"));
    writeFileSync(space.path("dist/m/README.md"), next);
    expect((await space.build(other)).diagnostics).toEqual([]);
  });
});

describe("two outputs of one merge", () => {
  test("run it once; the second is a copy", async () => {
    const result = await space.build({ outputs: ["dist/m", "dist/n"] });
    expect(result.actions).toMatchObject({ run: 4, local_hit: 4 });
    expect(weights("dist/n")).toEqual(weights("dist/m"));
    const inodes = ["dist/m", "dist/n"].map((output) => statSync(space.path(output, "model.safetensors")).ino);
    expect(new Set(inodes).size).toBe(2);
    expect((await space.build({ outputs: ["dist/m", "dist/n"] })).bytes).toEqual(NOTHING);
  });

  test("share tensors even when their shards are cut otherwise", async () => {
    await space.build({ outputs: ["dist/m"] });
    const cut = await space.build({ outputs: ["dist/m"], shard: 2400 });
    expect(cut.actions.run).toBe(0);
    expect(cut.bytes).toMatchObject({ read: 0, written: 0, copied: 9600 });
  });
});

describe("files in an output that theta did not write", () => {
  test("are carried over", async () => {
    await space.build({ outputs: ["dist/m"] });
    mkdirSync(space.path("dist/m/.git"));
    writeFileSync(space.path("dist/m/.git/HEAD"), "ref");
    writeFileSync(space.path("dist/m/notes.txt"), "mine");
    await space.build({ outputs: ["dist/m"], weight: 1 });
    expect(readFileSync(space.path("dist/m/.git/HEAD"), "utf8")).toBe("ref");
    expect(readFileSync(space.path("dist/m/notes.txt"), "utf8")).toBe("mine");
  });

  test("keep theta out of a directory that is not its own, unless it is adopted", async () => {
    mkdirSync(space.path("dist/m"), { recursive: true });
    writeFileSync(space.path("dist/m/thesis.tex"), "years of work");
    await expect(space.build({ outputs: ["dist/m"] })).rejects.toMatchObject({ exitCode: 73 });
    expect(readFileSync(space.path("dist/m/thesis.tex"), "utf8")).toBe("years of work");
    await space.build({ outputs: ["dist/m"] }, { adopt: true });
    expect(readFileSync(space.path("dist/m/thesis.tex"), "utf8")).toBe("years of work");
    expect(weights("dist/m").length).toBeGreaterThan(9600);
  });
});

test("the index's log is emptied behind a build that wrote to it", async () => {
  await space.build({ outputs: ["dist/m"] });
  expect(statSync(space.path(".theta/index.sqlite-wal")).size).toBe(0);
  expect(statSync(space.path(".theta/index.sqlite")).size).toBeGreaterThan(0);
});

test("a project, and an output, that is reached through a link is the same project and output", async () => {
  await space.build({ outputs: ["dist/m"] });
  symlinkSync(space.root, space.path("way"));
  renameSync(space.path("dist"), space.path("disk"));
  symlinkSync("disk", space.path("dist"));
  const moved = await space.build({ outputs: ["dist/m"] });
  expect(moved).toMatchObject({ actions: { run: 0 }, bytes: NOTHING, published: ["dist/m"] });
  const around = new Workspace(space.path("way"));
  expect(await around.build({ outputs: ["disk/m"] })).toMatchObject({
    actions: { run: 0 },
    bytes: NOTHING,
    published: [],
  });
  expect((await around.plan({ outputs: ["dist/m"] })).outputs[0]!.state).toBe("current");
});
