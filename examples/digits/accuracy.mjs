// Prints how many of the 500 held-out digits the base, the fine-tunes and the merges read right, task by task.
// Plain Node, no dependencies: it reads the checkpoints with a reader of its own, so it also checks what theta wrote.
//
//   node examples/digits/accuracy.mjs [MERGE …]     every directory under dist/ when none is named

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const ROTATIONS = ["upright", "rot90", "rot180", "rot270"];
const TASKS = [...ROTATIONS, "mirror", "inverted", "transposed", "shuffled"];
const HIDDEN = 256;
const FEATURES = 64;
const DIGITS = 10;

/** Name → typed array of every tensor of a .safetensors file; the dtypes that this example has. */
function readTensors(path) {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerBytes));
  const arrays = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array };
  const tensors = new Map();
  for (const [name, tensor] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [begin, end] = tensor.data_offsets.map((offset) => 8 + headerBytes + offset);
    // Copied, because a typed array must start at a multiple of its element's size.
    const bytes = new Uint8Array(file.subarray(begin, end));
    tensors.set(name, new arrays[tensor.dtype](bytes.buffer));
  }
  return tensors;
}

/** Where pixel (row, column) of the task's image lies in the upright one. */
const source = {
  upright: (row, column) => 8 * row + column,
  rot90: (row, column) => 8 * column + (7 - row),
  rot180: (row, column) => 8 * (7 - row) + (7 - column),
  rot270: (row, column) => 8 * (7 - column) + row,
  mirror: (row, column) => 8 * row + (7 - column),
  inverted: (row, column) => 8 * row + column,
  transposed: (row, column) => 8 * column + row,
};

function pixels(test, task, image) {
  const shuffle = test.get("shuffle");
  const x = new Float64Array(64);
  for (let i = 0; i < 64; i++) {
    const from = task === "shuffled" ? Number(shuffle[i]) : source[task](i >> 3, i & 7);
    const value = test.get("images")[64 * image + from] / 16;
    x[i] = task === "inverted" ? 1 - value : value;
  }
  return x;
}

/** weight [outputs, x.length] · x + bias */
function affine(weight, bias, x) {
  const y = Float64Array.from(bias);
  for (let row = 0, at = 0; row < y.length; row++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += weight[at++] * x[i];
    y[row] += sum;
  }
  return y;
}

const relu = (x) => x.map((v) => Math.max(v, 0));

/** relu(fc1) = h, LayerNorm(h + relu(fc2 h)), fc3: 64 pixels → 64 features. */
function encode(model, x) {
  const layer = (name, input) => affine(model.get(`${name}.weight`), model.get(`${name}.bias`), input);
  const h = relu(layer("fc1", x));
  const sum = relu(layer("fc2", h)).map((v, i) => v + h[i]);
  const mean = sum.reduce((a, v) => a + v, 0) / HIDDEN;
  const variance = sum.reduce((a, v) => a + (v - mean) ** 2, 0) / HIDDEN;
  const [gain, bias] = [model.get("norm.weight"), model.get("norm.bias")];
  return layer(
    "fc3",
    sum.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * gain[i] + bias[i]),
  );
}

/** Share of the test images that the model and the task's head read right. */
export function accuracy(model, heads, test, task) {
  const labels = test.get("labels");
  let right = 0;
  for (let image = 0; image < labels.length; image++) {
    const features = encode(model, pixels(test, task, image));
    const scores = affine(heads.get(`${task}.weight`), heads.get(`${task}.bias`), features.subarray(0, FEATURES));
    let best = 0;
    for (let digit = 1; digit < DIGITS; digit++) if (scores[digit] > scores[best]) best = digit;
    if (best === Number(labels[image])) right++;
  }
  return right / labels.length;
}

function mergesToMeasure(named) {
  if (named.length > 0) return named;
  const dist = join(here, "dist");
  if (!existsSync(dist)) return [];
  return readdirSync(dist)
    .filter((name) => !name.startsWith("."))
    .sort()
    .map((name) => join(dist, name));
}

function main() {
  const merges = mergesToMeasure(process.argv.slice(2));
  const missing = merges.find((directory) => !existsSync(join(directory, "model.safetensors")));
  if (merges.length === 0 || missing !== undefined) {
    const what = missing === undefined ? "There are no merges yet" : `${missing} has no model.safetensors`;
    process.stderr.write(`${what}: run \`theta build\` in ${relative(process.cwd(), here) || "."} first.\n`);
    return 1;
  }
  const data = (name) => readTensors(join(here, "data", `${name}.safetensors`));
  const [base, heads, test] = [data("base"), data("heads"), data("test")];
  const row = (model) => Object.fromEntries(TASKS.map((task) => [task, accuracy(model, heads, test, task)]));
  const finetuned = Object.fromEntries(TASKS.map((task) => [task, accuracy(data(`tasks/${task}`), heads, test, task)]));
  const rows = [
    ["base", row(base)],
    ["fine-tuned", finetuned],
    ...merges.map((directory) => [basename(directory), row(readTensors(join(directory, "model.safetensors")))]),
  ];
  // Accuracy as a share of the fine-tune's on its own task, averaged.
  const share = (accuracies, tasks) =>
    tasks.reduce((sum, task) => sum + accuracies[task] / finetuned[task], 0) / tasks.length;
  const width = Math.max(...rows.map(([name]) => name.length));
  const line = (name, cells) => `${name.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
  process.stdout.write(line("", [...TASKS, "rotations", "all"]));
  for (const [name, accuracies] of rows) {
    const cells = [...TASKS.map((task) => accuracies[task]), share(accuracies, ROTATIONS), share(accuracies, TASKS)];
    process.stdout.write(
      line(
        name,
        cells.map((cell) => cell.toFixed(3)),
      ),
    );
  }
  return 0;
}

process.exitCode = main();
