// What the machine can do: how fast it reads files that are in the page cache and copies memory, what more threads are
// worth to it, and how long it takes to read the inputs of a merge and write its output, with no arithmetic at all.

import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { measure } from "./measure.mjs";

/** The least that any program does: read every input once and write one output durably. Inputs are in the page cache. */
export async function ioFloor(inputs, dir) {
  const target = join(dir, "floor.bin");
  rmSync(target, { force: true });
  const started = performance.now();
  const copy = measure("dd", [`if=${inputs[0]}`, `of=${target}`, "bs=16M", "conv=fdatasync"]);
  const read = async () => {
    for (const file of inputs.slice(1)) await measure("dd", [`if=${file}`, "of=/dev/null", "bs=16M"]);
  };
  await Promise.all([copy, read()]);
  const seconds = (performance.now() - started) / 1000;
  rmSync(target);
  return seconds;
}

/** Bytes a second of `threads` threads together that read `files` whole into a buffer which stays in the cache. */
export const readSpeed = (files, threads) => speed({ task: "read", files }, threads);

/** Bytes a second that `threads` threads copy together from buffer to buffer, none of which fits a cache. */
export const copySpeed = (threads) => speed({ task: "copy" }, threads);

/**
 * How much more `threads` threads compute in the same time than one does, where they share neither memory nor files: less
 * than their number where cores are halves of one, or other machines use them too.
 */
export async function coresWorth(threads) {
  const one = await speed({ task: "compute" }, 1);
  return (await speed({ task: "compute" }, threads)) / one;
}

async function speed(work, threads) {
  const workers = Array.from(
    { length: threads },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: work }),
  );
  const next = (worker) => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await Promise.all(workers.map(next)); // ready: their buffers are touched
  const started = performance.now();
  const done = workers.map(next);
  for (const worker of workers) worker.postMessage("go");
  const bytes = (await Promise.all(done)).reduce((sum, each) => sum + each, 0);
  return (1000 * bytes) / (performance.now() - started);
}

const READ_BYTES = 1 << 18;
const COPY_BYTES = 1 << 28;
const COPIES = 8;
const ROUNDS = 1 << 26;

function readAll(files, buffer) {
  let bytes = 0;
  for (const file of files) {
    const descriptor = openSync(file);
    for (let read; (read = readSync(descriptor, buffer)) > 0;) bytes += read;
    closeSync(descriptor);
  }
  return bytes;
}

/** Chains that do not wait for each other, so that a core's units are all in use. */
function compute(rounds) {
  let [a, b, c, d, e, f] = [1.1, 1.2, 1.3, 1.4, 1.5, 1.6];
  for (let round = 0; round < rounds; round++) {
    a = a * 0.999 + 0.1;
    b = b * 0.998 + 0.1;
    c = c * 0.997 + 0.1;
    d = d * 0.996 + 0.1;
    e = e * 0.995 + 0.1;
    f = f * 0.994 + 0.1;
  }
  return a + b + c + d + e + f > 0 ? rounds : 0;
}

if (!isMainThread) {
  const { task, files } = workerData;
  const [from, to] = [1, 2].map((byte) => Buffer.alloc(task === "copy" ? COPY_BYTES : READ_BYTES, byte));
  if (task === "compute") compute(ROUNDS >> 4); // compiled
  parentPort.once("message", () => {
    if (task === "compute") return parentPort.postMessage(compute(ROUNDS));
    if (task === "read") return parentPort.postMessage(readAll(files, to));
    for (let copy = 0; copy < COPIES; copy++) from.copy(to);
    parentPort.postMessage(COPIES * COPY_BYTES);
  });
  parentPort.postMessage("ready");
}
