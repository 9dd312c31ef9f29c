// A tensor whose indices fill more than 31 bits, and more than 32: what a merge does at both places, and at the last
// element. `npm run test:torture` does it at the true size, 4 GB a checkpoint; npm test a smaller one over many chunks.

import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTheta } from "./theta-process.ts";

const TORTURE = process.env["THETA_TORTURE"] === "all";
const HALF = TORTURE ? 2 ** 31 : 2 ** 19;
const COUNT = 2 * HALF + 5;
const WAIT_MS = TORTURE ? 600_000 : 60_000;

/** Numbers as F8_E4M3 stores them. */
const BYTE = { one: 0x38, two: 0x40, four: 0x48, eight: 0x50 } as const;
/** Index → byte; all others are 0. */
type Elements = ReadonlyMap<number, number>;

const base: Elements = new Map([
  [HALF - 2, BYTE.two],
  [COUNT - 3, BYTE.two],
]);
const tune: Elements = new Map([
  [3, BYTE.eight],
  [HALF - 2, BYTE.two],
  [HALF - 1, BYTE.one],
  [HALF, BYTE.four],
  [HALF + 1, BYTE.eight],
  [2 * HALF, BYTE.one],
  [2 * HALF + 1, BYTE.four],
  [COUNT - 3, BYTE.two],
  [COUNT - 1, BYTE.one],
]);

const root = mkdtempSync(join(tmpdir(), "theta-huge-"));

function writeCheckpoint(name: string, elements: Elements): void {
  const entry = { dtype: "F8_E4M3", shape: [COUNT], data_offsets: [0, COUNT] };
  const text = JSON.stringify({ w: entry });
  const header = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  mkdirSync(join(root, name));
  const file = openSync(join(root, name, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([length, header]));
  ftruncateSync(file, 8 + header.length + COUNT);
  for (const [index, byte] of elements) writeSync(file, Buffer.of(byte), 0, 1, 8 + header.length + index);
  closeSync(file);
}

/** What is not 0 in the one tensor of the output. */
function readElements(name: string): Elements {
  const file = openSync(join(root, name, "model.safetensors"), "r");
  const length = Buffer.alloc(8);
  readSync(file, length, 0, 8, 0);
  const start = 8 + Number(length.readBigUInt64LE());
  const chunk = Buffer.alloc(2 ** 24);
  const zeros = Buffer.alloc(chunk.length);
  const found = new Map<number, number>();
  for (let at = 0, read; (read = readSync(file, chunk, 0, chunk.length, start + at)) > 0; at += read) {
    const bytes = chunk.subarray(0, read);
    if (bytes.equals(zeros.subarray(0, read))) continue;
    bytes.forEach((byte, i) => void (byte !== 0 && found.set(at + i, byte)));
  }
  closeSync(file);
  return found;
}

async function build(merge: string): Promise<Elements> {
  const head = 'theta 1\n\nbase b = "base"\nmodel t = "tune"\n\n';
  writeFileSync(join(root, "merge.theta"), `${head}${merge}\n\noutput "dist" = merged\n`);
  const { code, stderr } = await startTheta(root, ["build"], {}, WAIT_MS).done;
  expect(code, stderr).toBe(0);
  return readElements("dist");
}

beforeAll(() => {
  writeCheckpoint("base", base);
  writeCheckpoint("tune", tune);
});
beforeEach(() => {
  for (const name of ["dist", ".theta"]) rmSync(join(root, name), { recursive: true, force: true });
});
afterAll(() => rmSync(root, { recursive: true }));

const masked = (mask: string): string => `merge merged onto b using sum {\n  t  mask ${mask}\n}`;

test(
  "an exact cut keeps the largest four, wherever they lie",
  async () => {
    const kept = await build(masked(`magnitude(density: ${4.5 / COUNT}, per: tensor)`));
    expect(kept).toEqual(
      new Map([
        [3, BYTE.eight],
        [HALF - 2, BYTE.two],
        [HALF, BYTE.four],
        [HALF + 1, BYTE.eight],
        [2 * HALF + 1, BYTE.four],
        [COUNT - 3, BYTE.two],
      ]),
    );
  },
  WAIT_MS,
);

test(
  "a band drops the largest two and keeps the next",
  async () => {
    const share = 2.5 / COUNT;
    const kept = await build(masked(`breadcrumbs(density: ${share}, drop_top: ${share}, per: tensor)`));
    expect(kept).toEqual(
      new Map([
        [HALF - 2, BYTE.two],
        [HALF, BYTE.four],
        [2 * HALF + 1, BYTE.four],
        [COUNT - 3, BYTE.two],
      ]),
    );
  },
  WAIT_MS,
);

test(
  "a mean of models halves every element",
  async () => {
    const halves = new Map<number, number>([
      [BYTE.one, 0x30],
      [BYTE.two, BYTE.one],
      [BYTE.four, BYTE.two],
      [BYTE.eight, BYTE.four],
    ]);
    const expected = new Map([...tune].map(([index, byte]) => [index, base.has(index) ? byte : halves.get(byte)!]));
    expect(await build("merge merged = linear(b, t)")).toEqual(expected);
  },
  WAIT_MS,
);
