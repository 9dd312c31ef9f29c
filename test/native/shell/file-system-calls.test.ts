// The file system calls that Node lacks, on real files.

import { spawn } from "node:child_process";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { folder, payloadFile } from "./payload-file.ts";

const addon = loadAddon();

function closedDescriptor(): number {
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  return fd;
}

test("fallocate reserves, and never shortens", () => {
  const fd = payloadFile();
  addon.fallocate(fd, 1_000_000);
  expect(fstatSync(fd).size).toBe(1_000_000);
  expect(fstatSync(fd).blocks * 512).toBeGreaterThanOrEqual(1_000_000);
  addon.fallocate(fd, 10);
  addon.fallocate(fd, 0);
  expect(fstatSync(fd).size).toBe(1_000_000);
});

test("unsharedBytes counts what is allocated, not holes", () => {
  const fd = payloadFile();
  addon.fallocate(fd, 1_000_000);
  expect(addon.unsharedBytes(fd)).toBe(fstatSync(fd).blocks * 512);
  ftruncateSync(fd, 0);
  ftruncateSync(fd, 1_000_000);
  expect(addon.unsharedBytes(fd)).toBe(0);
});

test("what cannot be allocated is ENOSPC or EFBIG", () => {
  const fd = payloadFile();
  expect(() => {
    addon.fallocate(fd, 2 ** 52);
  }).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(ENOSPC|EFBIG)$/) as string, syscall: "fallocate" }),
  );
});

test("errors carry code, errno and syscall, and no path", () => {
  expect(() => {
    addon.fallocate(closedDescriptor(), 10);
  }).toThrow(
    expect.objectContaining({
      code: "EBADF",
      errno: constants.errno.EBADF,
      syscall: "fallocate",
      message: "EBADF: Bad file descriptor, fallocate",
    }),
  );
  expect(() => addon.exchange(join(folder, "none"), join(folder, "neither"))).toThrow(
    expect.objectContaining({
      code: "ENOENT",
      syscall: "renameat2",
      message: "ENOENT: No such file or directory, renameat2",
    }),
  );
});

test("arguments are checked", () => {
  expect(() => addon.exchange("a\0b", "c")).toThrow("a must be a path without zero characters");
  expect(() => addon.tryLock("3" as unknown as number)).toThrow(
    'fd must be a whole number from 0 to 2147483647, not "3"',
  );
});

test("exchange swaps two folders in one step", () => {
  const a = join(folder, "exchange-a");
  const b = join(folder, "exchange-b");
  mkdirSync(a);
  mkdirSync(b);
  writeFileSync(join(a, "of-a"), "");
  writeFileSync(join(b, "of-b"), "");
  expect(addon.exchange(a, b)).toBe(true);
  expect([readdirSync(a), readdirSync(b)]).toEqual([["of-b"], ["of-a"]]);
});

test("reflink shares the bytes, or says that the file system cannot", () => {
  const from = payloadFile(Buffer.from("bytes to share"));
  const to = payloadFile();
  const shared = addon.reflink(from, to);
  expect(fstatSync(to).size).toBe(shared ? 14 : 0);
  expect(() => addon.reflink(closedDescriptor(), to)).toThrow(expect.objectContaining({ code: "EBADF" }));
});

test("a lock excludes another open of the file, and another process", async () => {
  const path = join(folder, "lock");
  const mine = openSync(path, "w");
  const other = openSync(path, "w");
  expect(addon.tryLock(mine)).toBe(true);
  expect(addon.tryLock(other)).toBe(false);
  addon.unlock(mine);
  expect(addon.tryLock(other)).toBe(true);
  closeSync(other);

  const addonPath = fileURLToPath(new URL("../../../build/Release/theta.node", import.meta.url));
  const script = `const { openSync } = require("node:fs");
    console.log(require(${JSON.stringify(addonPath)}).tryLock(openSync(${JSON.stringify(path)}, "w")));
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const said = await new Promise<string>((resolve) =>
    holder.stdout.once("data", (data: Buffer) => {
      resolve(data.toString());
    }),
  );
  expect(said.trim()).toBe("true");
  expect(addon.tryLock(mine)).toBe(false);
  // The kernel releases it however the holder ends.
  const ended = new Promise((resolve) => holder.once("exit", resolve));
  holder.kill("SIGKILL");
  await ended;
  expect(addon.tryLock(mine)).toBe(true);
});

test("fileSystemType is the type that statfs gives", () => {
  expect(addon.fileSystemType(folder)).toBe(statfsSync(folder).type);
  expect(addon.fileSystemType("/proc")).toBe(0x9fa0);
  expect(() => addon.fileSystemType(join(folder, "none"))).toThrow(
    expect.objectContaining({ code: "ENOENT", syscall: "statfs" }),
  );
  expect(readFileSync("/proc/filesystems", "utf8")).toContain("proc");
});
