// Safetensors files: well-formed ones, ones with a wrong number, name or length, and damaged bytes. The reader says what
// is wrong, or gives tensors that fill the file, under the names that JSON.parse finds, too.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModel } from "../../runtime/checkpoint/model-directory.ts";
import type { Choices } from "./choices.ts";
import { damaged, JSON_PIECES } from "./damage.ts";
import { checkProblem, type Fuzzer } from "./fuzzer.ts";
import { jsonObject, jsonText } from "./json-text.ts";

const DTYPES: readonly (readonly [name: string, bits: number])[] = [
  ["F32", 32],
  ["BF16", 16],
  ["F4", 4],
  ["I64", 64],
  ["F6_E2M3", 6],
  ["BOOL", 8],
  ["F99", 8],
];
const NAMES = [
  "a",
  "b.c",
  "lm_head.weight",
  "__proto__",
  "",
  "\\u0061",
  "é",
  "\\u0000",
  "__metadata__",
  "x".repeat(200),
];
const HUGE = ["1e3", "-1", "4294967296", "9007199254740991", "9007199254740992", "1".repeat(400), "0.5", "null", '"8"'];

/** A byte a character, which survives JSON. */
function makeFile(choices: Choices): string {
  let end = 0;
  const members = choices.list(0, 5, (index): readonly [string, string] => {
    const [dtype, bits] = choices.pick(DTYPES);
    const shape = choices.list(0, 3, () => choices.pick([1, 2, 4, 0, 3]));
    const begin = choices.chance(1, 20) ? choices.below(end + 2) : end;
    end = begin + Math.ceil((shape.reduce((product, size) => product * size, 1) * bits) / 8);
    const wild = (value: number): string => (choices.chance(1, 40) ? choices.pick(HUGE) : String(value));
    const fields: (readonly [string, string])[] = [
      ["dtype", `"${dtype}"`],
      ["shape", `[${shape.map(wild).join(",")}]`],
      ["data_offsets", `[${wild(begin)},${wild(end)}]`],
    ];
    if (choices.chance(1, 20)) fields.push(fields[choices.below(3)]!);
    if (choices.chance(1, 20)) fields.splice(choices.below(3), 1);
    if (choices.chance(1, 40)) fields.push([choices.pick(["a", "dtype "]), jsonText(choices)]);
    const name = choices.chance(1, 4) ? choices.pick(NAMES) : `t${index}`;
    return [name, choices.chance(1, 40) ? jsonText(choices) : jsonObject(fields)];
  });
  if (choices.chance(1, 8)) members.push(["__metadata__", '{"format":"pt"}']);
  if (choices.chance(1, 40)) members.push(["__metadata__", jsonText(choices)]);
  const text = Buffer.from(jsonObject(members) + " ".repeat(choices.pick([0, 0, 3, 8]))).toString("latin1");
  const header = choices.chance(1, 3) ? damaged(text, JSON_PIECES, choices) : text;
  const length = Buffer.alloc(8);
  const stated = choices.chance(1, 20)
    ? choices.pick([0n, 1n, 7n, 100_000_001n, 2n ** 63n, 2n ** 64n - 1n])
    : undefined;
  length.writeBigUInt64LE(stated ?? BigInt(header.length + (choices.chance(1, 40) ? choices.below(9) : 0)));
  const file = `${length.toString("latin1")}${header}${"\u0000".repeat(end + choices.pick([0, 0, 0, 0, 0, 0, 0, 1]))}`;
  return choices.chance(1, 10) ? damaged(file, JSON_PIECES, choices) : file;
}

function checkFile(file: string, path: string): void {
  const bytes = Buffer.from(file, "latin1");
  writeFileSync(path, bytes);
  const answer = readModel(path, "fuzzed", new Map());
  if (answer.kind === "problem") {
    checkProblem(answer);
    return;
  }
  let end = 8 + Number(bytes.readBigUInt64LE());
  const parsed = JSON.parse(bytes.toString("utf8", 8, end)) as Record<string, unknown>;
  for (const { offset, bytes: size } of [...answer.tensors.values()].sort(
    (a, b) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (offset !== end) throw new Error(`a tensor begins at ${offset}, and the one before ends at ${end}`);
    end += size;
  }
  if (end !== bytes.length) throw new Error(`the tensors end at ${end} of ${bytes.length}`);
  const names = [...answer.tensors.keys(), ...answer.aliases.keys()].sort();
  const wanted = Object.keys(parsed).filter((name) => name !== "__metadata__");
  if (JSON.stringify(names) !== JSON.stringify(wanted.sort())) throw new Error(`names: ${names.join()}`);
}

export function headers(): Fuzzer<string> {
  const folder = mkdtempSync(join(tmpdir(), "theta-fuzz-"));
  const path = join(folder, "model.safetensors");
  return {
    choices: 120,
    make: makeFile,
    check: (file) => checkFile(file, path),
    close: () => rmSync(folder, { recursive: true }),
  };
}
