// Good files with damage at random places: read or refused, never an exception, and never a tensor outside its file.

import * as fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readModel } from "../../runtime/checkpoint/model-directory.ts";
import { f32, raw, safetensorsBytes } from "../support/tensors.ts";

let space: string;
beforeAll(() => void (space = mkdtempSync(join(tmpdir(), "theta-damaged-"))));
afterAll(() => rmSync(space, { recursive: true }));

const GOOD = safetensorsBytes(
  { a: f32([2, 3], [1, 2, 3, 4, 5, 6]), "b.c": raw("F4", [4], [1, 2]), d: raw("U8", [0], []) },
  { format: "pt" },
);

/** Replaces `length` bytes; most replacements are bytes that mean something to JSON. */
const damage = fc.record({
  at: fc.nat(GOOD.length),
  length: fc.nat(4),
  insert: fc.oneof(
    fc.stringMatching(/^["\\{}[\],:0-9eE+.-]{0,4}$/).map((text) => Uint8Array.from(Buffer.from(text))),
    fc.uint8Array({ maxLength: 4 }),
  ),
});

test("damage never ends in an exception or beyond the file", () => {
  const path = join(space, "model.safetensors");
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), fc.boolean(), (damages, keepLength) => {
      let bytes = Buffer.from(GOOD);
      for (const { at, length, insert } of damages) {
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          insert,
          bytes.subarray(at + (keepLength ? insert.length : length)),
        ]);
      }
      writeFileSync(path, bytes);
      const answer = readModel(path, "damaged", new Map());
      if (answer.kind === "problem") {
        expect(answer.message).toMatch(/damaged/);
        return;
      }
      accepted++;
      let end = 8 + Number(bytes.readBigUInt64LE());
      for (const tensor of [...answer.tensors.values()].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
        expect(tensor.offset).toBe(end);
        end += tensor.bytes;
      }
      expect(end).toBe(bytes.length);
    }),
    { numRuns: 3000 },
  );
  // Damage to payloads and names leaves a good file, so the checks above were made.
  expect(accepted).toBeGreaterThan(50);
});
