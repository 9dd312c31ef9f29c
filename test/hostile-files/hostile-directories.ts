// Directories: indexes that name what they must not, files that are no files, configurations that are none.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type TestTensors, f32, makeModelDirectory, raw, writeSafetensors } from "../support/tensors.ts";
import type { HostileSource } from "./hostile-source.ts";

const TENSORS: TestTensors = { a: f32([2], [1, 2]), b: f32([1], [3]) };
const INDEX = "model.safetensors.index.json";

function model(name: string, make: (path: string) => void, code: string, message: string): HostileSource {
  return { name, kind: "model", make, code, message };
}

/** Two shards, then `change`. */
function sharded(name: string, change: (path: string) => void, code: string, message: string): HostileSource {
  const make = (path: string): void => {
    makeModelDirectory(path, TENSORS, { shards: [["a"], ["b"]] });
    change(path);
  };
  return model(name, make, code, message);
}

/** Two shards and this index. */
function index(name: string, content: string | object, code: string, message: string): HostileSource {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return sharded(name, (path) => writeFileSync(`${path}/${INDEX}`, text), code, message);
}

function shardNamed(name: string, shard: string, code: string, message: string): HostileSource {
  return index(name, { weight_map: { a: shard } }, code, message);
}

/** A good model beside this config.json. */
function config(name: string, content: string, code: string, message: string): HostileSource {
  const make = (path: string): void => {
    makeModelDirectory(path, TENSORS, { files: { "config.json": content }, config: false });
  };
  return model(name, make, code, message);
}

/** A directory with this instead of model.safetensors. */
function notAFile(name: string, make: (file: string) => void, code: string, message: string): HostileSource {
  const makeDirectory = (path: string): void => {
    mkdirSync(path);
    make(`${path}/model.safetensors`);
  };
  return model(name, makeDirectory, code, message);
}

/** A directory with files of these names, one byte each. */
function holding(name: string, files: readonly string[], code: string, message: string): HostileSource {
  const make = (path: string): void => {
    mkdirSync(path);
    for (const file of files) writeFileSync(`${path}/${file}`, "x");
  };
  return model(name, make, code, message);
}

const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";
const manyShards = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`t${at}`, `s${at}.safetensors`]));

export const HOSTILE_DIRECTORIES: readonly HostileSource[] = [
  model("nothing there", () => undefined, "source-missing", "bad does not exist"),
  model(
    "link to nothing",
    (path) => symlinkSync("nowhere", path),
    "source-missing",
    "bad is a symbolic link that leads nowhere",
  ),
  model(
    "link to itself",
    (path) => symlinkSync("bad", path),
    "source-unreadable",
    "bad cannot be read: its symbolic links form a loop",
  ),
  model(
    "named pipe as the model",
    (path) => execFileSync("mkfifo", [path]),
    "source-format",
    "bad is not a .safetensors file",
  ),
  notAFile(
    "named pipe",
    (file) => execFileSync("mkfifo", [file]),
    "source-not-a-file",
    "bad/model.safetensors is a named pipe; only regular files are read",
  ),
  notAFile(
    "directory",
    (file) => mkdirSync(file),
    "source-not-a-file",
    "bad/model.safetensors is a directory; only regular files are read",
  ),
  notAFile(
    "endless device",
    (file) => symlinkSync("/dev/zero", file),
    "source-not-a-file",
    "bad/model.safetensors is a device; only regular files are read",
  ),
  notAFile(
    "link in a loop",
    (file) => symlinkSync("model.safetensors", file),
    "source-unreadable",
    "bad/model.safetensors cannot be read: its symbolic links form a loop",
  ),
  notAFile(
    "link that leads nowhere",
    (file) => symlinkSync("../../blobs/0", file),
    "source-missing",
    "bad/model.safetensors is a symbolic link that leads nowhere",
  ),
  holding("empty directory", [], "source-format", "bad holds no model.safetensors and no model.safetensors.index.json"),
  holding(
    "pickle only",
    ["pytorch_model.bin"],
    "source-format",
    'bad holds "pytorch_model.bin", but no safetensors file',
  ),
  holding(
    "GGUF only",
    ["model.Q4_K_M.gguf"],
    "source-format",
    'bad holds "model.Q4_K_M.gguf", but no safetensors file',
  ),
  holding(
    "loose files",
    ["high.safetensors", "low.safetensors"],
    "source-ambiguous",
    'bad holds "high.safetensors", "low.safetensors", but no model.safetensors and no index',
  ),
  holding(
    "shards without an index",
    [FIRST, SECOND],
    "bad-index",
    'bad holds shards such as "model-00001-of-00002.safetensors", but no model.safetensors.index.json',
  ),
  model(
    "folder of the hub's cache",
    (path) => ["blobs", "refs", "snapshots"].forEach((name) => mkdirSync(`${path}/${name}`, { recursive: true })),
    "source-format",
    "bad is a folder of the hub's cache, not a model",
  ),
  model(
    "an adapter",
    (path) => (mkdirSync(path), writeFileSync(`${path}/adapter_config.json`, "{}")),
    "source-kind",
    "bad is an adapter, not a model",
  ),
  index(
    "index is empty",
    "",
    "json-syntax",
    "bad/model.safetensors.index.json: the index must be an object, found the end of the text, at character 1",
  ),
  index(
    "index is a list",
    "[]",
    "json-type",
    "bad/model.safetensors.index.json: the index must be an object, found an array, at character 1",
  ),
  index("index without a map", {}, "bad-index", "bad/model.safetensors.index.json has no weight_map"),
  index(
    "map is a list",
    { weight_map: [] },
    "json-type",
    "bad/model.safetensors.index.json: weight_map must be an object, found an array, at character 15",
  ),
  index("map is empty", { weight_map: {} }, "empty-checkpoint", "bad holds no tensors"),
  index(
    "map with a number",
    { weight_map: { a: 1 } },
    "json-type",
    'bad/model.safetensors.index.json: a file name in weight_map must be a string, found "1", at character 20',
  ),
  index(
    "map twice",
    `{"weight_map":{"a":"${FIRST}"},"weight_map":{}}`,
    "json-duplicate-key",
    'bad/model.safetensors.index.json: the index has the key "weight_map" twice, at character 56',
  ),
  index(
    "tensor twice in the map",
    `{"weight_map":{"a":"${FIRST}","a":"${SECOND}"}}`,
    "json-duplicate-key",
    'bad/model.safetensors.index.json: weight_map has the key "a" twice, at character 55',
  ),
  index(
    "index nested without end",
    `{"metadata":${"[".repeat(100_000)}`,
    "json-syntax",
    'bad/model.safetensors.index.json: "metadata" is nested more than 100 levels deep, at character 113',
  ),
  index(
    "more shards than any model",
    { weight_map: manyShards },
    "bad-index",
    "bad/model.safetensors.index.json names more than 10000 shards",
  ),
  shardNamed(
    "shard in another directory",
    "../secret.safetensors",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "../secret.safetensors" of tensor "a" must be the name of a file beside the index, not a path',
  ),
  shardNamed(
    "shard in a sub-directory",
    "sub/model.safetensors",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "sub/model.safetensors" of tensor "a" must be the name of a file beside the index, not a path',
  ),
  shardNamed(
    "shard by a backslash",
    "..\\secret.safetensors",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "..\\secret.safetensors" of tensor "a" must be the name of a file beside the index, not a path',
  ),
  shardNamed(
    "absolute shard",
    "/etc/passwd",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "/etc/passwd" of tensor "a" must be the name of a file beside the index, not a path',
  ),
  shardNamed(
    "shard with NUL",
    "a\0.safetensors",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "a\\x00.safetensors" of tensor "a" has a NUL character in its name',
  ),
  shardNamed(
    "shard is the parent",
    "..",
    "shard-name",
    'bad/model.safetensors.index.json: the shard ".." of tensor "a" must not have ".." in its name',
  ),
  shardNamed(
    "shard without a name",
    "",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "" of tensor "a" has no name',
  ),
  shardNamed(
    "shard is a pickle",
    "pytorch_model-00001-of-00002.bin",
    "shard-name",
    'bad/model.safetensors.index.json: the shard "pytorch_model-00001-of-00002.bin" of tensor "a" is not a .safetensors file',
  ),
  shardNamed(
    "shard with a name too long",
    `${"s".repeat(5000)}.safetensors`,
    "source-unreadable",
    "bad/sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss… cannot be read: the name is too long for the file system",
  ),
  sharded(
    "shard missing",
    (path) => rmSync(`${path}/${SECOND}`),
    "shard-missing",
    'bad/model.safetensors.index.json names the shard "model-00002-of-00002.safetensors", which does not exist',
  ),
  sharded(
    "shard is a broken link",
    (path) => (rmSync(`${path}/${SECOND}`), symlinkSync("../../blobs/1", `${path}/${SECOND}`)),
    "shard-missing",
    'bad/model.safetensors.index.json names the shard "model-00002-of-00002.safetensors", which does not exist',
  ),
  sharded(
    "shard is a named pipe",
    (path) => (rmSync(`${path}/${SECOND}`), execFileSync("mkfifo", [`${path}/${SECOND}`])),
    "source-not-a-file",
    "bad/model-00002-of-00002.safetensors is a named pipe; only regular files are read",
  ),
  sharded(
    "shard lacks a tensor",
    (path) => writeSafetensors(`${path}/${SECOND}`, { c: f32([1], [1]) }),
    "shard-tensors",
    'bad/model-00002-of-00002.safetensors holds tensor "c", which bad/model.safetensors.index.json does not list',
  ),
  sharded(
    "shard has lost a tensor",
    (path) => writeSafetensors(`${path}/${SECOND}`, {}),
    "shard-tensors",
    'bad/model.safetensors.index.json puts tensor "b" into "model-00002-of-00002.safetensors", which does not hold it',
  ),
  sharded(
    "shard with one tensor more",
    (path) => writeSafetensors(`${path}/${SECOND}`, { b: f32([1], [1]), c: f32([1], [1]) }),
    "shard-tensors",
    'bad/model-00002-of-00002.safetensors holds tensor "c", which bad/model.safetensors.index.json does not list',
  ),
  sharded(
    "tensor in both shards",
    (path) => writeSafetensors(`${path}/${SECOND}`, { b: f32([1], [1]), a: f32([2], [1, 2]) }),
    "shard-tensors",
    'bad/model-00002-of-00002.safetensors holds tensor "a", which bad/model.safetensors.index.json puts into "model-00001-of-00002.safetensors"',
  ),
  sharded(
    "shard damaged",
    (path) => writeFileSync(`${path}/${SECOND}`, "damaged"),
    "safetensors-truncated",
    "bad/model-00002-of-00002.safetensors has 7 bytes, too few for a safetensors file",
  ),
  config(
    "configuration is no JSON",
    "{'a': 1}",
    "json-syntax",
    'bad/config.json: a key must be a string, found "\'", at character 2',
  ),
  config("configuration is a list", "[]", "bad-config", "bad/config.json must hold an object"),
  config(
    "configuration with a key twice",
    '{\n  "tie_word_embeddings": true,\n  "tie_word_embeddings": false\n}',
    "json-duplicate-key",
    'bad/config.json: the configuration has the key "tie_word_embeddings" twice, at line 3, character 3',
  ),
  config(
    "tie is a string",
    '{"tie_word_embeddings": "yes"}',
    "bad-config",
    "bad/config.json: tie_word_embeddings must be true or false",
  ),
  config(
    "configuration nested without end",
    '{"a":'.repeat(1_000_000),
    "json-syntax",
    'bad/config.json: "a" is nested more than 100 levels deep, at character 502',
  ),
  {
    name: "vector without its record",
    kind: "vector",
    make: (path) => void makeModelDirectory(path, TENSORS),
    code: "source-kind",
    message: "bad has no theta.json, so it is not a vector",
  },
  {
    name: "vector whose base has no digest",
    kind: "vector",
    make: (path) =>
      void makeModelDirectory(path, TENSORS, {
        files: { "theta.json": '{"schema":"theta.output/1","kind":"vector","base":{"digest":"md5:0"}}' },
      }),
    code: "bad-vector",
    message: "bad/theta.json: base must have a digest, sha256: and 64 hexadecimal digits",
  },
  {
    name: "vector with an alias of nothing",
    kind: "vector",
    make: (path) => {
      const base = { digest: `sha256:${"0".repeat(64)}` };
      const record = { schema: "theta.output/1", kind: "vector", base, aliases: { head: "embedding" } };
      makeModelDirectory(path, { a: raw("U8", [1], [0]) }, { files: { "theta.json": JSON.stringify(record) } });
    },
    code: "bad-vector",
    message: 'bad/theta.json: the alias "head" of "embedding" does not fit the tensors',
  },
  {
    name: "record of another program",
    kind: "vector",
    make: (path) =>
      void makeModelDirectory(path, TENSORS, { files: { "theta.json": '{"schema":"x","kind":"vector"}' } }),
    code: "bad-vector",
    message: 'bad/theta.json: schema must be "theta.output/1", not "x"',
  },
];
