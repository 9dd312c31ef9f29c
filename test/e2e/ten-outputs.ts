// A project of ten outputs, each of five shards, and what each of its variants must be, byte for byte: for tests that kill,
// crowd and starve builds. Elements are random, so that a torn or mixed shard cannot equal a whole one.

import { createHash, randomFillSync } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeModelDirectory, type TestTensors } from "../support/tensors.ts";
import { theta } from "./theta-process.ts";

export const OUTPUTS = Array.from({ length: 10 }, (_, at) => `o${at}`);
const TENSORS = 25;
const SHARDS = 5;

/** Name of a file below an output → SHA-256 of its bytes. */
export type Files = ReadonlyMap<string, string>;

export class TenOutputs {
  readonly root = mkdtempSync(join(tmpdir(), "theta-ten-"));
  readonly #shard: string;
  readonly #clean = new Map<string, ReadonlyMap<string, Files>>();

  /** `bytes`: of one output. */
  constructor(bytes: number) {
    // Other users may look in.
    chmodSync(this.root, 0o755);
    this.#shard = `${Math.ceil(bytes / SHARDS / 1000)}kB`;
    for (const name of ["base", "tune"]) makeModelDirectory(join(this.root, name), randomModel(bytes / TENSORS));
    this.writeRecipe("merge.theta", OUTPUTS);
  }

  /** A recipe of these outputs; its parameter `w` chooses the variant. */
  writeRecipe(file: string, outputs: readonly string[], directory = this.root): void {
    const merges = outputs.map((name) => {
      const scale = 1 + OUTPUTS.indexOf(name) / 8;
      const merge = `merge ${name} onto b using sum(scale: ${scale.toFixed(3)}) { t weight w }`;
      return `${merge}\noutput "dist/${name}" = ${name} { shard ${this.#shard} }\n`;
    });
    const head = 'theta 1\n\nparam w: number = 0.5\nbase b = "base"\nmodel t = "tune"\n\n';
    writeFileSync(join(directory, file), head + merges.join(""));
  }

  /** What a build that nobody disturbs makes of a variant, by output. */
  clean(variant: string): ReadonlyMap<string, Files> {
    let files = this.#clean.get(variant);
    if (files === undefined) {
      const place = join(this.root, "undisturbed");
      mkdirSync(place);
      for (const name of ["base", "tune"]) symlinkSync(`../${name}`, join(place, name));
      this.writeRecipe("merge.theta", OUTPUTS, place);
      const { code, stderr } = theta(place, ["build", "-p", `w=${variant}`]);
      if (code !== 0) throw new Error(stderr);
      files = new Map(OUTPUTS.map((name) => [name, filesOf(join(place, "dist", name))]));
      rmSync(place, { recursive: true });
      this.#clean.set(variant, files);
    }
    return files;
  }

  output(name: string): string {
    return join(this.root, "dist", name);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

/** Numbers between ½ and 2 of either sign, so that no merge of them overflows. */
function randomModel(bytes: number): TestTensors {
  const elements = Math.floor(bytes / 2);
  const tensors = Array.from({ length: TENSORS }, (_, at) => {
    const bits = randomFillSync(new Uint16Array(elements)).map((random) => (random & 0x80ff) | 0x3f00);
    return [`layers.${at}.w`, { dtype: "BF16", shape: [elements], data: new Uint8Array(bits.buffer) }] as const;
  });
  return Object.fromEntries(tensors);
}

export function filesOf(directory: string): Files {
  const names = readdirSync(directory).sort();
  return new Map(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(directory, name)))
        .digest("hex"),
    ]),
  );
}

export function equalFiles(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([name, digest]) => b.get(name) === digest);
}
