// SHA-256 of the addon against Node's, alone and several together, with each kernel.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadAddon } from "../../../native/index.ts";
import { bytesInput, hashTask, payloadFile, sha256Text, someBytes } from "./payload-file.ts";

const addon = loadAddon();
const addonPath = fileURLToPath(new URL("../../../build/Release/theta.node", import.meta.url));

test("messages of 0 to 300 bytes", () => {
  const bytes = someBytes(300);
  for (let length = 0; length <= 300; length++) {
    const message = bytes.subarray(0, length);
    expect(addon.sha256(message)).toBe(sha256Text(message));
  }
});

test.each(["plain", "sha-ni", "sha-ni-avx512"])("the same as the kernel %s has it, where it can run", (kernel) => {
  const bytes = someBytes(700_001);
  const fd = payloadFile(bytes);
  const sizes = [700_001, 700_000, 65_536, 65_535, 4161, 4096, 64, 1, 0];
  const task = hashTask(...sizes.map((size) => bytesInput(fd, 0, size)));
  const script = `
    const addon = require(${JSON.stringify(addonPath)});
    const engine = addon.createEngine({ threads: 1, memory: 64 << 20, chunk: 1 << 20 });
    engine.run(${JSON.stringify(task)}).then(({ inputDigests }) => console.log(inputDigests.join(" "))).finally(() => engine.close());`;
  const digests = execFileSync(process.execPath, ["-e", script.replaceAll(`"fd":${fd}`, '"fd":3')], {
    encoding: "utf8",
    env: { ...process.env, THETA_SHA256: kernel },
    stdio: ["ignore", "pipe", "inherit", fd],
  });
  expect(digests.trim().split(" ")).toEqual(sizes.map((size) => sha256Text(bytes.subarray(0, size))));
});

test("text is hashed as UTF-8", () => {
  expect(addon.sha256("θ ⊕ s·τ")).toBe(sha256Text(Buffer.from("θ ⊕ s·τ", "utf8")));
});

test("anything else is refused", () => {
  expect(() => addon.sha256(7 as unknown as string)).toThrow("data must be a string or a Uint8Array");
  expect(() => addon.sha256(new Float32Array(2) as unknown as Uint8Array)).toThrow("a Uint8Array");
});

test.each([64, 100, 4096, 65_536, 1 << 20])("payloads of one task, read %i bytes at a time", async (chunk) => {
  const engine = addon.createEngine({ threads: 2, memory: 64 << 20, chunk });
  const bytes = someBytes(700_001);
  const fd = payloadFile(bytes);
  const ranges = [0, 1, 63, 64, 65, 4095, 4096, 300_000, 700_000].map((size, i) => ({ offset: i % 2, size }));
  const result = await engine.run(hashTask(...ranges.map(({ offset, size }) => bytesInput(fd, offset, size))));
  expect(result.inputDigests).toEqual(
    ranges.map(({ offset, size }) => sha256Text(bytes.subarray(offset, offset + size))),
  );
  expect(engine.progress()).toEqual({
    read: ranges.reduce((sum, { size }) => sum + size, 0),
    hashed: ranges.reduce((sum, { size }) => sum + size, 0),
    written: 0,
    copied: 0,
  });
  engine.close();
});

test("payloads of many tasks, which share threads", async () => {
  const engine = addon.createEngine({ threads: 1, memory: 64 << 20, chunk: 1 << 20 });
  const bytes = someBytes(3_000_000);
  const fd = payloadFile(bytes);
  const sizes = [3_000_000, 2_999_999, 1_000_000, 64, 1, 0, 500_000, 123_457];
  const results = await Promise.all(sizes.map((size) => engine.run(hashTask(bytesInput(fd, 0, size)))));
  expect(results.map((result) => result.inputDigests[0])).toEqual(
    sizes.map((size) => sha256Text(bytes.subarray(0, size))),
  );
  engine.close();
});
