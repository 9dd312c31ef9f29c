// theta.json, the file that theta puts beside what it writes: what it is, its digest, and of a vector its base.

import { createHash } from "node:crypto";
import { compareByBytes, sortByBytes } from "./byte-order.ts";
import { isObject, parseJson } from "./json-reader.ts";
import { fail, quoted } from "./problem.ts";
import { type OpenedFiles, type SourceFile, readText } from "./source-file.ts";

export const THETA_FILE = "theta.json";
const SCHEMA = "theta.output/1";
const LARGEST = 64_000_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** What a build records of an output. Fields appear in theta.json in this order. */
export interface ThetaRecord {
  readonly kind: "model" | "vector";
  /** Of the output's tensors, see `checkpointDigest`. */
  readonly digest: string;
  /** Of a vector: the base that it was taken from. */
  readonly base?: { readonly digest: string };
  /** Other name → stored name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The root recipe as the user spelled it. */
  readonly recipe: string;
  readonly inputs: readonly RecordedInput[];
  /** Every other file of the output that theta wrote, relative to it: the rest is somebody else's. */
  readonly files: readonly string[];
  readonly version: string;
}

export interface RecordedInput {
  /** As the recipe spells it. */
  readonly source: string;
  /** `checkpointDigest` of those of its tensors that the output reads: of the checkpoint, when it reads all. */
  readonly digest: string;
}

/**
 * A function of the output alone: no time, host or path of this machine, and nothing that only other outputs of the
 * recipe depend on, such as its parameters. So an output is not written again because another one changes.
 */
export function thetaFileContent(record: ThetaRecord): Uint8Array {
  const { kind, digest, base, aliases, recipe, inputs, files, version } = record;
  const json = {
    schema: SCHEMA,
    kind,
    digest,
    ...(base === undefined ? {} : { base }),
    aliases: sortedEntries(aliases),
    recipe,
    inputs: inputs.map((input) => ({ source: input.source, digest: input.digest })),
    files,
    theta: version,
  };
  return Buffer.from(`${JSON.stringify(json, null, 2)}\n`, "utf8");
}

/** What a reader needs of it. */
interface ThetaFacts {
  readonly kind: "model" | "vector";
  /** Always present for a vector. */
  readonly baseDigest?: string;
  readonly aliases: ReadonlyMap<string, string>;
}

/** Later schemas only add fields, so unknown ones are left alone. */
export function readThetaFile(file: SourceFile, opened: OpenedFiles): ThetaFacts {
  const wrong = (what: string): never => fail("bad-vector", `${file.display}: ${what}`);
  const value = parseJson(readText(file, opened, LARGEST), file.display, "the record");
  if (!isObject(value)) return wrong("the record must be an object");
  const schema = value.get("schema");
  if (schema !== SCHEMA) {
    return wrong(
      `schema must be ${quoted(SCHEMA)}, not ${typeof schema === "string" ? quoted(schema) : "something else"}`,
    );
  }
  const kind = value.get("kind");
  if (kind !== "model" && kind !== "vector") return wrong('kind must be "model" or "vector"');
  const base = value.get("base");
  const baseDigest = isObject(base) ? base.get("digest") : undefined;
  if (kind === "vector" && !(typeof baseDigest === "string" && DIGEST.test(baseDigest))) {
    return wrong("base must have a digest, sha256: and 64 hexadecimal digits");
  }
  const aliases = new Map<string, string>();
  const listed = value.get("aliases");
  if (isObject(listed)) {
    for (const [name, stored] of listed) {
      if (typeof stored !== "string") return wrong(`the alias ${quoted(name)} must name a tensor`);
      aliases.set(name, stored);
    }
  }
  return { kind, ...(typeof baseDigest === "string" ? { baseDigest } : {}), aliases };
}

interface DigestEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** `sha256:<hex>` of the payload. */
  readonly digest: string;
}

/**
 * Identity of a checkpoint's content: SHA-256 over the lines `name dtype shape payload-digest`, sorted by bytes, each
 * ended by a newline, as `sha256:<hex>`. A shape is printed like [2048, 128], [] for a scalar. A name with anything but
 * printable ASCII other than the blank and quotation mark stands as a JSON string, so no name can imitate a line.
 */
export function checkpointDigest(entries: Iterable<DigestEntry>): string {
  const lines: string[] = [];
  for (const { name, dtype, shape, digest } of entries) {
    const plain = /^[!#-~]+$/.test(name) ? name : JSON.stringify(name);
    lines.push(`${plain} ${dtype} [${shape.join(", ")}] ${digest}\n`);
  }
  return `sha256:${createHash("sha256").update(sortByBytes(lines).join(""), "utf8").digest("hex")}`;
}

function sortedEntries(map: ReadonlyMap<string, unknown>): object {
  return Object.fromEntries([...map].sort(([a], [b]) => compareByBytes(a, b)));
}
