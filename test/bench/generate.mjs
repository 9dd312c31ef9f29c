// Writes synthetic checkpoints for the benchmark: a base with N(0, 0.02) elements and fine-tunes whose task vectors are
// N(0, 0.001), in bf16, so that ties, zeros and roundings occur as in real ones. The same seed gives the same bytes.
//
//   node test/bench/generate.mjs --size small|1b|many|embedding|embedding-f32 [--dir DIR] [--finetunes 3] [--shards N]

import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { countGiven, scriptArguments, wrongUsage } from "../support/script-arguments.mjs";

const BLOCK = 1 << 20; // elements computed and written at once
const TABLE = 1 << 16; // quantiles of the normal distribution that elements are drawn from
const BASE_SIGMA = 0.02;
const DELTA_SIGMA = 0.001;
const HEAD = 64; // elements of an attention head

/** Llama's tensors, as [name, shape], sorted by name as safetensors stores them, and what config.json says of them. */
function llama({ vocabulary, hidden, inner, keyValue, layers }) {
  const tensors = [
    ["lm_head.weight", [vocabulary, hidden]],
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ["model.norm.weight", [hidden]],
  ];
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`;
    tensors.push(
      [`${layer}.input_layernorm.weight`, [hidden]],
      [`${layer}.mlp.down_proj.weight`, [hidden, inner]],
      [`${layer}.mlp.gate_proj.weight`, [inner, hidden]],
      [`${layer}.mlp.up_proj.weight`, [inner, hidden]],
      [`${layer}.post_attention_layernorm.weight`, [hidden]],
      [`${layer}.self_attn.k_proj.weight`, [keyValue, hidden]],
      [`${layer}.self_attn.o_proj.weight`, [hidden, hidden]],
      [`${layer}.self_attn.q_proj.weight`, [hidden, hidden]],
      [`${layer}.self_attn.v_proj.weight`, [keyValue, hidden]],
    );
  }
  tensors.sort(([a], [b]) => (a < b ? -1 : 1));
  const config = {
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: hidden / HEAD,
    num_key_value_heads: keyValue / HEAD,
  };
  return { tensors, config };
}

export const SIZES = {
  /** 25 M parameters, 51 MB */
  small: llama({ vocabulary: 8192, hidden: 512, inner: 1408, keyValue: 128, layers: 6 }),
  /** TinyLlama-1.1B: 201 tensors, 2.2 GB */
  "1b": llama({ vocabulary: 32000, hidden: 2048, inner: 5632, keyValue: 256, layers: 22 }),
  /** 10,002 tensors, 64 MB: what planning costs. */
  many: llama({ vocabulary: 64, hidden: 64, inner: 64, keyValue: 64, layers: 1111 }),
  /** One tensor of 1 GB: nothing to run side by side but its chunks. */
  embedding: { tensors: [["model.embed_tokens.weight", [262144, 2048]]], config: { num_hidden_layers: 0 } },
  /** That of Llama 3 in float32, one tensor of 2.1 GB: the same in twice as many bytes an element. */
  "embedding-f32": {
    tensors: [["model.embed_tokens.weight", [128256, 4096]]],
    config: { num_hidden_layers: 0 },
    isF32: true,
  },
};

const bytesOf = (isF32) => (isF32 ? 4 : 2);

const elements = (shape) => shape.reduce((product, dimension) => product * dimension, 1);

// ---------------------------------------------------------------------------------------------------- elements

/** Quantiles of N(0, 1) at (i + ½) / TABLE, by bisection of its distribution function (Abramowitz and Stegun 26.2.17). */
function normalTable() {
  const upperTail = (x) => {
    const t = 1 / (1 + 0.2316419 * x);
    const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  };
  const table = new Float32Array(TABLE);
  for (let i = TABLE / 2; i < TABLE; i++) {
    let [low, high] = [0, 6];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      if (upperTail(middle) > 1 - (i + 0.5) / TABLE) low = middle;
      else high = middle;
    }
    table[i] = low;
    table[TABLE - 1 - i] = -low;
  }
  return table;
}

const nextRandom = (state) => {
  state ^= state << 13;
  state ^= state >>> 17;
  return state ^ (state << 5);
};

/** FNV-1a, never 0, which xorshift could not leave. */
function seedOf(...parts) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(parts.join("\0"))) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash === 0 ? 1 : hash;
}

/** Fills `out` with bf16 patterns of elements [0, count) of a block: the base, plus a task vector when there is one. Before
 *  they are rounded they are left in `sums`. */
function fillBlock(out, sums, bits, table, count, baseSeed, deltaSeed) {
  let state = baseSeed;
  for (let i = 0; i < count; i++) {
    state = nextRandom(state);
    sums[i] = BASE_SIGMA * table[state >>> 16];
  }
  for (let i = 0; i < count; i++) {
    const u = bits[i];
    bits[i] = (u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000;
  }
  if (deltaSeed !== undefined) {
    state = deltaSeed;
    for (let i = 0; i < count; i++) {
      state = nextRandom(state);
      sums[i] += DELTA_SIGMA * table[state >>> 16];
    }
  }
  for (let i = 0; i < count; i++) {
    const u = bits[i];
    out[i] = (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
  }
}

/** One worker's share: blocks of tensors, written where they belong. */
function work({ file, tensor, offset, count, model, isF32 }) {
  const descriptor = openSync(file, "r+");
  const { out, sums, bits, table } = scratch();
  const bytes = new Uint8Array(isF32 ? sums.buffer : out.buffer);
  const size = bytesOf(isF32);
  for (let at = 0, block = 0; at < count; at += BLOCK, block++) {
    const here = Math.min(BLOCK, count - at);
    const deltaSeed = model === "base" ? undefined : seedOf(tensor, block, model);
    fillBlock(out, sums, bits, table, here, seedOf(tensor, block, "base"), deltaSeed);
    writeSync(descriptor, bytes, 0, size * here, offset + size * at);
  }
  closeSync(descriptor);
}

let buffers;
function scratch() {
  if (buffers === undefined) {
    const sums = new Float32Array(BLOCK);
    buffers = { out: new Uint16Array(BLOCK), sums, bits: new Uint32Array(sums.buffer), table: normalTable() };
  }
  return buffers;
}

// ---------------------------------------------------------------------------------------------------- files

/** Writes a shard's header, gives the file its size and returns what is left to fill. */
function layOut(file, { tensors, isF32 = false }, model) {
  const header = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const [name, shape] of tensors) {
    const bytes = bytesOf(isF32) * elements(shape);
    header[name] = { dtype: isF32 ? "F32" : "BF16", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const start = Buffer.alloc(8 + text.length);
  start.writeBigUInt64LE(BigInt(text.length));
  start.write(text, 8);
  const descriptor = openSync(file, "w");
  writeSync(descriptor, start);
  ftruncateSync(descriptor, start.length + end);
  closeSync(descriptor);
  return tensors.map(([name, shape]) => ({
    file,
    tensor: name,
    offset: start.length + header[name].data_offsets[0],
    count: elements(shape),
    model,
    isF32,
  }));
}

function layOutModel(directory, { tensors, config: sizes, isF32 = false }, shards, model) {
  mkdirSync(directory, { recursive: true });
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    ...sizes,
    tie_word_embeddings: false,
    torch_dtype: isF32 ? "float32" : "bfloat16",
  };
  writeFileSync(join(directory, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  if (shards === 1) return layOut(join(directory, "model.safetensors"), { tensors, isF32 }, model);
  const index = {
    metadata: { total_size: tensors.reduce((sum, [, shape]) => sum + bytesOf(isF32) * elements(shape), 0) },
    weight_map: {},
  };
  const padded = (n) => String(n).padStart(5, "0");
  const jobs = [];
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${padded(shard + 1)}-of-${padded(shards)}.safetensors`;
    const part = tensors.filter((_, i) => Math.floor((i * shards) / tensors.length) === shard);
    for (const [name] of part) index.weight_map[name] = file;
    jobs.push(...layOut(join(directory, file), { tensors: part, isF32 }, model));
  }
  writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify(index));
  return jobs;
}

/**
 * Makes DIR/base, DIR/ft0 … and returns their paths. Models that an earlier call finished with the same arguments stay.
 * @param {{dir: string, size: keyof typeof SIZES, finetunes: number, shards: number}} wanted
 */
export async function generate({ dir, size, finetunes, shards }) {
  const models = ["base", ...Array.from({ length: finetunes }, (_, i) => `ft${i}`)];
  const paths = models.map((model) => join(dir, model));
  const stamp = join(dir, "generated.json");
  const made = JSON.stringify({
    version: 2,
    size,
    finetunes,
    shards,
    blocks: BLOCK,
    sigmas: [BASE_SIGMA, DELTA_SIGMA],
  });
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === made) return paths;
  rmSync(stamp, { force: true });
  const jobs = models.flatMap((model, i) => layOutModel(paths[i], SIZES[size], shards, model));
  jobs.sort((a, b) => b.count - a.count);
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, () => runWorker(jobs)));
  writeFileSync(stamp, made);
  return paths;
}

/** Hands jobs to one worker until none is left. */
function runWorker(jobs) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url));
    const next = () => {
      const job = jobs.shift();
      if (job === undefined) worker.terminate().then(resolve, reject);
      else worker.postMessage(job);
    };
    worker.on("message", next);
    worker.on("error", reject);
    next();
  });
}

if (!isMainThread) {
  parentPort.on("message", (job) => {
    work(job);
    parentPort.postMessage("done");
  });
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const script = import.meta.url;
  const values = scriptArguments(script, {
    size: { type: "string", default: "small" },
    dir: { type: "string" },
    finetunes: { type: "string", default: "3" },
    shards: { type: "string", default: "1" },
  });
  if (!Object.hasOwn(SIZES, values.size)) wrongUsage(script, `there is no size ${values.size}`);
  const dir = values.dir ?? join(tmpdir(), `theta-bench-${values.size}`);
  const started = performance.now();
  const [finetunes, shards] = ["finetunes", "shards"].map((name) => countGiven(script, values, name));
  await generate({ dir, size: values.size, finetunes, shards });
  process.stdout.write(`${dir}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
