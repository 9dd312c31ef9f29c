// A store whose index is locked, whose disk is full or read-only, whose small files are damaged.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "libsql";
import { describe, expect, test } from "vitest";
import { f32 } from "../../support/tensors.ts";
import { MOUNT } from "../../support/system-tools.ts";
import { useChildren } from "./child.ts";
import { constantModel, mergedNumbers, numbersOf } from "./constant-model.ts";
import { useWorkspace } from "./use-workspace.ts";

const RECIPE = { outputs: ["dist/m"] };
const OTHER = { outputs: ["dist/m"], weight: 0.25 };

const spawnBuild = useChildren();
const space = useWorkspace((space) => {
  space.write("base", { a: f32([2], [1, 2]) });
  space.write("tune", { a: f32([2], [3, 4]) });
});

/** Every file below a folder, with what tells a change. */
function stampsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return Object.fromEntries(
    names.sort().map((name) => {
      const { mtimeNs, ctimeNs, size } = statSync(join(folder, name), { bigint: true });
      return [name, `${mtimeNs} ${ctimeNs} ${size}`];
    }),
  );
}

describe("an index that another process holds", () => {
  async function whileHeld<T>(work: () => Promise<T>, sql = "BEGIN EXCLUSIVE"): Promise<T> {
    const other = new Sqlite(space.path(".theta/index.sqlite"));
    other.exec(sql);
    try {
      return await work();
    } finally {
      other.exec("ROLLBACK");
      other.close();
    }
  }

  test("holds up no build, and nothing is lost", async () => {
    await space.build(RECIPE);
    const { ino } = statSync(space.path(".theta/index.sqlite"));
    let last = performance.now();
    let stood = 0;
    const ticking = setInterval(() => {
      stood = Math.max(stood, performance.now() - last);
      last = performance.now();
    }, 10);
    const held = await whileHeld(() => space.build(OTHER));
    clearInterval(ticking);
    expect(held.status).toBe("done");
    expect(stood).toBeLessThan(1500);
    expect(statSync(space.path(".theta/index.sqlite")).ino).toBe(ino);
    expect((await space.build(OTHER)).phases).toEqual(["look-up"]);
    expect((await space.build(RECIPE)).actions).toMatchObject({ run: 0, local_hit: 1 });
  });

  test("before it is made is waited for, and a signal ends the wait", async () => {
    mkdirSync(space.path(".theta"));
    const stop = new AbortController();
    const started = performance.now();
    setTimeout(() => stop.abort(), 300);
    const waiting = whileHeld(() => space.build(RECIPE, {}, stop.signal), "CREATE TABLE t (x); BEGIN EXCLUSIVE");
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    expect(performance.now() - started).toBeLessThan(5000);
    expect((await space.build(RECIPE)).status).toBe("done");
  });

  test("does not hide why a build failed", async () => {
    await space.build(RECIPE);
    const tune = space.path("tune/model.safetensors");
    const phase = (name: string): void => {
      if (name === "compute") writeFileSync(tune, readFileSync(tune));
    };
    await expect(whileHeld(() => space.build(OTHER, {}, undefined, { phase }))).rejects.toMatchObject({
      exitCode: 66,
      details: { code: "input-changed" },
    });
  });
});

describe.skipIf(!MOUNT)("a store on a disk", () => {
  const mounted = (script: string): readonly string[] => ["unshare", "-rm", "sh", "-c", `${script} && exec "$@"`, "sh"];

  test("that is read-only: exit code 73", async () => {
    await space.build(RECIPE);
    const store = space.path(".theta");
    const readOnly = mounted(`mount --bind ${store} ${store} && mount -o remount,bind,ro ${store}`);
    const { code, error } = await spawnBuild(space, OTHER, {}, readOnly).done;
    expect([code, error]).toEqual([73, expect.stringContaining(`the store ${store} cannot be written: `)]);
  });

  test("that is full: exit code 71", async () => {
    mkdirSync(space.path(".theta"));
    const full = mounted(`mount -t tmpfs -o size=32k none ${space.path(".theta")}`);
    const { code, error } = await spawnBuild(space, RECIPE, {}, full).done;
    expect([code, error]).toEqual([71, expect.stringMatching(/are needed|is full/)]);
  });
});

describe("a small file that is damaged needs nobody's hand", () => {
  test.each([
    ["version", ""],
    ["version", "\0\n"],
    ["version", "3\n"],
    [".gitignore", ""],
  ])("%s: %j", async (name, text) => {
    await space.build(RECIPE);
    writeFileSync(space.path(".theta", name), text);
    expect((await space.build(RECIPE)).phases).toEqual(["look-up"]);
    const other = spawnSync("ls", [space.path(".theta")], { encoding: "utf8" }).stdout;
    expect(other).not.toContain(".new");
  });

  test("a lock's or a lease's text", async () => {
    await space.build(RECIPE);
    for (const name of readdirSync(space.path(".theta/locks")))
      writeFileSync(space.path(".theta/locks", name), "\xff\0");
    writeFileSync(space.path(".theta/locks/build-1-x"), "\xff\0\n");
    expect((await space.build(OTHER)).status).toBe("done");
  });
});

test("a byte of the journal of a build that was cut off, overwritten, spoils nothing", async () => {
  const tensors = 16;
  space.write("base", constantModel(tensors, 2 ** 18, 1));
  space.write("tune", constantModel(tensors, 2 ** 18, 3));
  const slow = { engine: { threads: 1, memory: 64 * 2 ** 20, chunk: 2 ** 18 } };
  for (const [weight, part] of [0, 0.1, 0.3, 0.5, 0.7, 0.999].entries()) {
    const stop = new AbortController();
    let left = 3;
    const actionDone = (): void => {
      if (--left === 0) stop.abort();
    };
    const recipe = { ...RECIPE, weight };
    await expect(space.build(recipe, slow, stop.signal, { actionDone })).rejects.toMatchObject({ name: "AbortError" });
    const name = readdirSync(space.path(".theta/partial")).find((file) => file.endsWith(".journal"))!;
    const journal = space.path(".theta/partial", name);
    const bytes = readFileSync(journal);
    bytes[Math.floor(bytes.length * part)]! ^= 1;
    writeFileSync(journal, bytes);
    expect((await space.build(recipe)).status).toBe("done");
    expect(numbersOf(space.path("dist/m"))).toEqual(mergedNumbers(tensors, weight));
  }
});

test("a store of another version is refused", async () => {
  await space.build(RECIPE);
  const sum = "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce";
  writeFileSync(space.path(".theta/version"), `3\n${sum}\n`);
  await expect(space.build(RECIPE)).rejects.toMatchObject({ exitCode: 73, details: { code: "store-version" } });
});

describe("a plan", () => {
  test("looks into an index of which a page is damaged as into one that is not there", async () => {
    await space.build(RECIPE);
    const path = space.path(".theta/index.sqlite");
    const bytes = readFileSync(path);
    // The header stays, so that it opens.
    writeFileSync(path, bytes.fill(0xff, 4096));
    const plan = await space.plan(RECIPE);
    expect(plan.counts).toMatchObject({ run: 0, unknown: 1 });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect((await space.build(RECIPE)).actions.run).toBe(0);
  });

  test("makes no store", async () => {
    const plan = await space.plan(RECIPE);
    expect(plan.counts.run).toBe(1);
    expect(readdirSync(space.root).sort()).toEqual(["base", "tune"]);
  });

  test("changes nothing in a store, not even what is damaged, and knows what it knows", async () => {
    await space.build(RECIPE);
    await space.build(OTHER);
    const name = readdirSync(space.path(".theta/shards")).find((file) => file.endsWith(".json"))!;
    writeFileSync(space.path(".theta/shards", name), "{}");
    const before = stampsOf(space.root);
    expect((await space.plan(OTHER)).counts).toMatchObject({ run: 0, unknown: 0, up_to_date: 1 });
    await space.plan(RECIPE);
    expect(stampsOf(space.root)).toEqual(before);
    await space.build({ ...OTHER, weight: 0.75 });
    expect(readdirSync(space.path(".theta/shards"))).not.toContain(name);
  });
});
