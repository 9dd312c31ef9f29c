// Hash and copy tasks: digests, counters, what is written where, and every way in which they fail.

import { closeSync, ftruncateSync, openSync, readFileSync, readSync } from "node:fs";
import { constants } from "node:os";
import { afterAll, expect, test } from "vitest";
import type { CopyTask, NativeTask } from "../../../native/addon-types.ts";
import { loadAddon } from "../../../native/index.ts";
import { bytesInput, hashTask, payloadFile, rejection, sha256Text, someBytes } from "./payload-file.ts";

const engine = loadAddon().createEngine({ threads: 2, memory: 64 << 20, chunk: 1 << 20 });
afterAll(() => {
  engine.close();
});

function copyTask(from: number, fromOffset: number, to: number, toOffset: number, bytes: number): CopyTask {
  return {
    kind: "copy",
    label: "copy",
    from: { fd: from, offset: fromOffset },
    to: { fd: to, offset: toOffset },
    bytes,
  };
}

test("counts NaN and infinities with their first places", async () => {
  const values = new Float32Array(200_000).fill(1);
  values[70_000] = NaN;
  values[70_001] = -NaN;
  values[150_000] = -Infinity;
  const fd = payloadFile(new Uint8Array(values.buffer));
  const input = { fd, offset: 0, dtype: "F32", shape: [200, 1000], digest: false };
  const result = await engine.run({ kind: "hash", label: "", inputs: [input, { ...input, shape: [10] }] });
  expect(result).toEqual({
    inputDigests: [null, null],
    inputCounters: [
      { nan: 2, firstNan: 70_000, inf: 1, firstInf: 150_000 },
      { nan: 0, firstNan: -1, inf: 0, firstInf: -1 },
    ],
    masks: [],
    overflow: 0,
    firstOverflow: -1,
    antiparallel: 0,
  });
});

test.each([0, 1, 65_536, 3_000_001])("copies %i bytes from and to odd offsets", async (size) => {
  const bytes = someBytes(size + 7);
  const from = payloadFile(bytes);
  const to = payloadFile(new Uint8Array(3).fill(9));
  const result = await engine.run(copyTask(from, 7, to, 3, size));
  expect(result.digest).toBe(sha256Text(bytes.subarray(7)));
  const written = Buffer.alloc(size + 3);
  expect(readSync(to, written, 0, size + 3, 0)).toBe(size + 3);
  expect(written.equals(Buffer.concat([new Uint8Array(3).fill(9), bytes.subarray(7)]))).toBe(true);
});

test("a file that was cut short says where it ends", async () => {
  const fd = payloadFile(someBytes(1000));
  ftruncateSync(fd, 600);
  const error = await rejection(engine.run(hashTask(bytesInput(fd, 100, 900))));
  expect(error).toMatchObject({ code: "io", syscall: "pread", errno: constants.errno.ENODATA });
  expect(error.message).toBe(
    "ENODATA: the file ends at byte 600, before byte 1000 that its header promises: it was cut short after its header was read",
  );
});

test("a failing system call is named with its errno", async () => {
  const bytes = payloadFile(someBytes(10));
  const closed = openSync("/dev/null", "r");
  closeSync(closed);
  expect(await rejection(engine.run(hashTask(bytesInput(closed, 0, 10))))).toMatchObject({
    code: "io",
    syscall: "pread",
    errno: constants.errno.EBADF,
    message: "EBADF: Bad file descriptor, pread",
  });
  const full = openSync("/dev/full", "w");
  expect(await rejection(engine.run(copyTask(bytes, 0, full, 0, 10)))).toMatchObject({
    code: "io",
    syscall: "pwrite",
    errno: constants.errno.ENOSPC,
  });
  closeSync(full);
});

test("one payload's failure leaves its neighbours alone", async () => {
  const bytes = someBytes(2_000_000);
  const good = payloadFile(bytes);
  const short = payloadFile(bytes.subarray(0, 1_000_000));
  const single = loadAddon().createEngine({ threads: 1, memory: 64 << 20, chunk: 1 << 20 });
  const settled = await Promise.allSettled(
    [good, short, good, short, good].map((fd) => single.run(hashTask(bytesInput(fd, 0, bytes.length)))),
  );
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
  for (const outcome of settled) {
    if (outcome.status === "fulfilled") expect(outcome.value.inputDigests).toEqual([sha256Text(bytes)]);
  }
  single.close();
});

test.each<[unknown, string]>([
  [undefined, "task must be an object, not undefined"],
  [
    { kind: "melt" },
    'task.kind must be one of "compute", "gather", "rank", "find", "hash", "copy", "measure", "compare", not "melt"',
  ],
  [{ kind: "hash" }, "task.inputs must be an array, not undefined"],
  [
    hashTask({ ...bytesInput(3, 0, 1), fd: -1 }),
    "task.inputs[0].fd must be a whole number from 0 to 2147483647, not -1",
  ],
  [
    hashTask({ ...bytesInput(3, 0, 1), fd: 1.5 }),
    "task.inputs[0].fd must be a whole number from 0 to 2147483647, not 1.5",
  ],
  [
    hashTask(bytesInput(3, 0, 1), bytesInput(3, 2 ** 53, 1)),
    "task.inputs[1].offset must be a whole number from 0 to 9007199254740991, not 9007199254740992",
  ],
  [hashTask(bytesInput(3, NaN, 1)), "task.inputs[0].offset must be a whole number from 0 to 9007199254740991, not NaN"],
  [
    hashTask({ ...bytesInput(3, 0, 1), shape: [2 ** 40, 2 ** 40] }),
    "task.inputs[0].shape must be the dimensions of less than 2^60 bytes, not an array",
  ],
  [
    hashTask({ ...bytesInput(3, 0, 1), dtype: "F5" }),
    "task.inputs[0].bytes must be the size of the payload, for the element size of F5 is unknown, not undefined",
  ],
  [
    hashTask({ ...bytesInput(3, 0, 1), dtype: "F32", bytes: 5 }),
    "task.inputs[0].bytes must be 4, the size of this shape in F32, not 5",
  ],
  [copyTask(3, 0, 4, 0, -1), "task.bytes must be a whole number from 0 to 9007199254740991, not -1"],
])("refuses %o", async (task, message) => {
  const error = await rejection(engine.run(task as NativeTask));
  expect({ code: error.code, message: error.message }).toEqual({ code: "input", message });
});

test("a dtype that it does not know is hashed by its size", async () => {
  const bytes = readFileSync(new URL(import.meta.url));
  const fd = payloadFile(bytes);
  const input = { fd, offset: 0, dtype: "F5", shape: [3], digest: true, bytes: 50 };
  expect((await engine.run(hashTask(input))).inputDigests).toEqual([sha256Text(bytes.subarray(0, 50))]);
});
