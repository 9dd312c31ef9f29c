// The engine as a citizen of a Node process: it leaves the event loop free, stops when told, lets the process end, and
// keeps nothing.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { bytesInput, hashTask, payloadFile, rejection, sha256Text, someBytes } from "./payload-file.ts";

const addon = loadAddon();
const options = { threads: 2, memory: 64 << 20, chunk: 1 << 20 };
const addonPath = fileURLToPath(new URL("../../../build/Release/theta.node", import.meta.url));
const large = payloadFile(someBytes(128 << 20));

/** Half a gigabyte and more to hash, from one file. */
function muchWork(tasks = 8): ReturnType<typeof hashTask>[] {
  return Array.from({ length: tasks }, () => hashTask(bytesInput(large, 0, 128 << 20)));
}

/** Runs a script in a process of its own; what it prints, and how long it took to end after its last line. */
async function runScript(body: string, ...flags: readonly string[]): Promise<string> {
  const script = `const { openSync } = require("node:fs");
    const addon = require(${JSON.stringify(addonPath)});
    const fd = openSync(process.execPath, "r");
    const task = (size) => ({ kind: "hash", label: "", inputs: [{ fd, offset: 0, dtype: "U8", shape: [size], digest: true }] });
    const engine = addon.createEngine(${JSON.stringify(options)});
    ${body}`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "-e", script], { timeout: 20_000 });
  return stdout.trim();
}

test("the event loop stays free", async () => {
  const engine = addon.createEngine(options);
  let worst = 0;
  const start = performance.now();
  let last = start;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 5);
    last = now;
  }, 5);
  await Promise.all(muchWork().map((task) => engine.run(task)));
  clearInterval(timer);
  // Work that ran here would block for as long as it takes, 300 ms and more; a busy machine makes both longer.
  expect(worst).toBeLessThan((performance.now() - start) / 2);
  engine.close();
});

test("cancelling ends everything within a fraction of a second", async () => {
  const engine = addon.createEngine(options);
  const running = muchWork(20).map((task) => rejection(engine.run(task)));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const start = performance.now();
  engine.cancel();
  const errors = await Promise.all(running);
  // 30 ms on a quiet machine; the rest is for busy ones.
  expect(performance.now() - start).toBeLessThan(1000);
  expect(new Set(errors.map((error) => error.code))).toEqual(new Set(["cancelled"]));
  expect(await rejection(engine.run(muchWork(1)[0]!))).toMatchObject({ code: "cancelled" });
  engine.close();
});

test("closing with work left settles every promise", async () => {
  const engine = addon.createEngine(options);
  const running = muchWork(5).map((task) => rejection(engine.run(task)));
  engine.close();
  engine.close();
  for (const error of await Promise.all(running)) expect(error.code).toBe("cancelled");
  expect(await rejection(engine.run(hashTask()))).toMatchObject({ code: "input", message: "the engine is closed" });
  expect(() => engine.progress()).toThrow("the engine is closed");
});

test.each([
  [{ ...options, threads: 0 }, "options.threads must be a whole number from 1 to 4096, not 0"],
  [{ ...options, memory: 1000 }, "options.memory must be a whole number from 1048576 to 9007199254740992, not 1000"],
  [{ ...options, chunk: 1 }, "options.chunk must be a whole number from 64 to 1099511627776, not 1"],
])("refuses options out of range: %o", (wrong, message) => {
  expect(() => addon.createEngine(wrong)).toThrow(expect.objectContaining({ code: "input", message }));
});

test("more threads than the memory can serve are not started", async () => {
  const engine = addon.createEngine({ threads: 64, memory: 64 << 20, chunk: 64 << 20 });
  const bytes = someBytes(100_000);
  const fd = payloadFile(bytes);
  expect((await engine.run(hashTask(bytesInput(fd, 0, bytes.length)))).inputDigests).toEqual([sha256Text(bytes)]);
  expect(engine.needs(hashTask(bytesInput(fd, 0, 1))).memory).toBeLessThanOrEqual(16 << 20);
  expect(engine.needs(hashTask(bytesInput(fd, 0, 1))).atOnce).toBe(4);
  engine.close();
});

test("an idle engine does not keep the process alive, a busy one does", async () => {
  expect(await runScript("console.log('end');")).toBe("end");
  expect(await runScript("engine.run(task(1000)).then((r) => console.log(r.inputDigests[0].slice(0, 7)));")).toBe(
    "sha256:",
  );
});

test("process.exit in the middle of work is no race", async () => {
  const body = `for (let i = 0; i < 50; i++) engine.run(task(50_000_000)).catch(() => {});
    setTimeout(() => { console.log("leaving"); process.exit(0); }, 20);`;
  for (let i = 0; i < 3; i++) expect(await runScript(body)).toBe("leaving");
});

test("an engine that is dropped gives its threads back", async () => {
  const body = `(async () => {
      const threads = () => require("node:fs").readdirSync("/proc/self/task").length;
      const before = threads();
      for (let i = 0; i < 30; i++) await addon.createEngine(${JSON.stringify(options)}).run(task(1000));
      for (let i = 0; i < 20 && threads() > before; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      console.log(threads() <= before);
    })();`;
  expect(await runScript(body, "--expose-gc")).toBe("true");
});

test("works in a worker thread, also one that is terminated", async () => {
  const script = `const { parentPort } = require("node:worker_threads");
    const addon = require(${JSON.stringify(addonPath)});
    const engine = addon.createEngine(${JSON.stringify(options)});
    const input = { fd: ${large}, offset: 0, dtype: "U8", shape: [${128 << 20}], digest: true };
    engine.run({ kind: "hash", label: "", inputs: [input] }).catch(() => {});
    parentPort.postMessage(addon.sha256("abc"));
    setInterval(() => {}, 1000);`;
  const worker = new Worker(script, { eval: true });
  const digest = await new Promise((resolve) => worker.once("message", resolve));
  expect(digest).toBe(sha256Text(Buffer.from("abc")));
  expect(await worker.terminate()).toBe(1);
});

test("a worker thread that ends before its promises are settled is not the end of the process", async () => {
  const work = `const fd = require("node:fs").openSync(process.execPath, "r");
    const engine = require(${JSON.stringify(addonPath)}).createEngine(${JSON.stringify(options)});
    engine.run({ kind: "hash", label: "", inputs: [{ fd, offset: 0, dtype: "U8", shape: [1], digest: true }] });
    require("node:worker_threads").parentPort.postMessage("busy");
    for (;;);`;
  const body = `const worker = new (require("node:worker_threads").Worker)(${JSON.stringify(work)}, { eval: true });
    worker.once("message", () => setTimeout(async () => console.log("ended", await worker.terminate()), 200));`;
  expect(await runScript(body)).toBe("ended 1");
});

test("two thousand small tasks leave no memory behind", async () => {
  const engine = addon.createEngine(options);
  const fd = payloadFile(someBytes(4096));
  const round = async (): Promise<number> => {
    await Promise.all(Array.from({ length: 2000 }, (_, i) => engine.run(hashTask(bytesInput(fd, i, 1000)))));
    return process.memoryUsage().rss;
  };
  await round();
  await round();
  const before = await round();
  const after = await round();
  expect(after - before).toBeLessThan(16 << 20);
  engine.close();
});
