import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { modelCard } from "../../../runtime/checkpoint/model-card.ts";
import { type ThetaRecord, checkpointDigest, thetaFileContent } from "../../../runtime/checkpoint/theta-file.ts";
import { readModel } from "../../../runtime/checkpoint/model-directory.ts";
import { readVector } from "../../../runtime/checkpoint/vector-directory.ts";
import { f32, makeModelDirectory } from "../../support/tensors.ts";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

test("a checkpoint's digest is that of its sorted lines", () => {
  const entries = [
    { name: "b", dtype: "F32", shape: [], digest: digest("b") },
    { name: "a.weight", dtype: "BF16", shape: [2048, 128], digest: digest("a") },
  ];
  const lines = `a.weight BF16 [2048, 128] ${digest("a")}\nb F32 [] ${digest("b")}\n`;
  const expected = `sha256:${createHash("sha256").update(lines).digest("hex")}`;
  expect(checkpointDigest(entries)).toBe(expected);
  expect(checkpointDigest(entries.reverse())).toBe(expected);
});

test("no name can imitate another checkpoint's lines", () => {
  const one = [{ name: `a F32 [] ${digest("a")}\nb`, dtype: "F32", shape: [], digest: digest("b") }];
  const two = ["a", "b"].map((name) => ({ name, dtype: "F32", shape: [], digest: digest(name) }));
  expect(checkpointDigest(one)).not.toBe(checkpointDigest(two));
});

const RECORD: ThetaRecord = {
  kind: "vector",
  digest: digest("d"),
  base: { digest: digest("b") },
  aliases: new Map([["lm_head.weight", "embed"]]),
  recipe: "merge.theta",
  files: ["README.md", "model.safetensors"],
  inputs: [
    { source: "models/a", digest: digest("a") },
    { source: "models/b", digest: digest("c") },
  ],
  version: "0.1.0",
};

test("theta.json is the same for the same build, and reads back", () => {
  expect(Buffer.from(thetaFileContent(RECORD)).toString()).toMatchInlineSnapshot(`
    "{
      "schema": "theta.output/1",
      "kind": "vector",
      "digest": "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
      "base": {
        "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      },
      "aliases": {
        "lm_head.weight": "embed"
      },
      "recipe": "merge.theta",
      "inputs": [
        {
          "source": "models/a",
          "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        },
        {
          "source": "models/b",
          "digest": "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
        }
      ],
      "files": [
        "README.md",
        "model.safetensors"
      ],
      "theta": "0.1.0"
    }
    "
  `);
  const directory = mkdtempSync(join(tmpdir(), "theta-vector-"));
  makeModelDirectory(directory, { embed: f32([1], [1]) });
  writeFileSync(join(directory, "theta.json"), thetaFileContent(RECORD));
  const vector = readVector(directory, "v", new Map());
  expect(vector).toMatchObject({ kind: "vector", baseDigest: digest("b"), aliases: RECORD.aliases });
  expect(readModel(directory, "v", new Map())).toMatchObject({
    code: "source-kind",
    message: "v is a vector that theta wrote, not a model",
  });
  writeFileSync(join(directory, "theta.json"), thetaFileContent({ ...RECORD, kind: "model" }));
  expect(readModel(directory, "v", new Map()).kind).toBe("model");
  rmSync(directory, { recursive: true });
});

test("the model card says where the tensors come from", () => {
  const card = modelCard({
    kind: "model",
    title: "my*merge",
    recipe: "merge.theta",
    methods: ["ties", "magnitude"],
    inputs: [
      { source: "models/a|b`", digest: digest("a") },
      { source: "../hub/models--org--name/snapshots/0123", digest: digest("c") },
    ],
    digest: digest("d"),
    version: "0.1.0",
  });
  expect(Buffer.from(card).toString()).toMatchInlineSnapshot(`
    "---
    base_model:
    - "models/a|b\`"
    - "org/name"
    base_model_relation: merge
    tags:
    - merge
    - theta
    ---

    # my\\*merge

    A merge made by theta 0.1.0 from \`merge.theta\`, using \`ties\`, \`magnitude\`.

    | input | digest of the tensors that were read |
    | --- | --- |
    | \`\` models/a\\|b\` \`\` | \`sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\` |
    | \`../hub/models--org--name/snapshots/0123\` | \`sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\` |

    Tensors: \`sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\`. \`theta.json\` holds the same facts for programs.
    "
  `);
});
