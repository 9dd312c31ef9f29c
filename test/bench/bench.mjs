// npm run bench -- --size 1b: how long theta takes for each method, beside the time that reading the inputs and writing the
// output costs on the same machine in the same run, and how many bytes it moves a second, beside how fast the machine reads
// the same files and copies memory. Medians; nothing is averaged away, `--json` gives every run.
//
//   --size small|1b|many|embedding|embedding-f32   synthetic models (generate.mjs)      --finetunes 3
//   --methods a,b               of merges.mjs                        --runs 3
//   --threads N --memory SIZE   handed to theta                      --dir DIR   models, kept between runs
//   --theta PATH                another theta.js, to compare two     --one-thread   the same with one thread, too
//   --json                      every number of every run on standard output
//
// build      a build with an empty store, from start to end of the process; CPU and anonymous are its seconds and its memory
// floor      reading the inputs and writing the output, with nothing in between; ratio: build ÷ floor
// moved      bytes that a build read and wrote, a second
// one thread builds with it, how much faster more are, and how much faster they compute here in the same minute
// nothing to do, one tensor changed      builds behind it, and how many tensors the second of them made
//
// MERGEKIT_YAML=/path/to/mergekit-yaml measures mergekit on the same merges too.

import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countGiven, scriptArguments, wrongUsage } from "../support/script-arguments.mjs";
import { generate, SIZES } from "./generate.mjs";
import { measure, median } from "./measure.mjs";
import { mergekitConfig, METHODS, recipe } from "./merges.mjs";
import { copySpeed, coresWorth, ioFloor, readSpeed } from "./roofline.mjs";

// ---------------------------------------------------------------------------------------------------- theta

/** Where this names a file, Node reads and decodes its certificates, for tens of milliseconds, before any program. */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

function theta(work, options) {
  const args = [options.theta, "build", "--json", "-C", work, "--threads", String(options.threads)];
  if (options.memory !== undefined) args.push("--memory", options.memory);
  return measure(process.execPath, args, { env: ENVIRONMENT });
}

const summary = (run) => JSON.parse(run.stdout.trimEnd().split("\n").at(-1));

/** Flips one mantissa bit of `tensor`'s first elements; a second call puts them back. */
function flip(file, tensor) {
  const descriptor = openSync(file, "r+");
  const length = Buffer.alloc(8);
  readSync(descriptor, length, 0, 8, 0);
  const header = Buffer.alloc(Number(length.readBigUInt64LE()));
  readSync(descriptor, header, 0, header.length, 8);
  const at = 8 + header.length + JSON.parse(header.toString())[tensor].data_offsets[0];
  const bytes = Buffer.alloc(64);
  readSync(descriptor, bytes, 0, 64, at);
  for (let i = 0; i < 64; i += 2) bytes[i] ^= 1;
  writeSync(descriptor, bytes, 0, 64, at);
  closeSync(descriptor);
}

/** File systems give back the blocks of what was deleted later: not while the clock runs. */
function clear(work) {
  for (const name of [".theta", "merged", "example"]) rmSync(join(work, name), { recursive: true, force: true });
  execFileSync("sync", ["-f", work]);
}

/** A virtual machine may have lost a part of its page cache to its host since the last build: of the inputs, Node, theta. */
async function prepare(work, inputs, options) {
  clear(work);
  await readSpeed(inputs, 1);
  await measure(process.execPath, [options.theta, "init", join(work, "example")]);
  await theta(join(work, "example"), options);
}

/** With one thread and with all by turns, so that a machine that gets slower does so for both. */
async function fullBuilds(work, inputs, options) {
  const [alone, runs, cores] = [[], [], []];
  for (let run = 0; run < options.runs; run++) {
    if (options.oneThread) {
      cores.push(await coresWorth(options.threads));
      await prepare(work, inputs, options);
      alone.push(await theta(work, { ...options, threads: 1 }));
    }
    await prepare(work, inputs, options);
    runs.push(await theta(work, options));
  }
  return { alone, runs, cores };
}

async function benchTheta(method, paths, inputs, work, options) {
  const { alone, runs, cores } = await fullBuilds(work, inputs, options);
  const nothing = [];
  for (let run = 0; run < options.runs; run++) nothing.push(await theta(work, options));
  const unchanged = summary(nothing[0]).actions.run;
  if (unchanged !== 0) throw new Error(`${method}: an unchanged recipe ran ${unchanged} actions`);
  const changed = [];
  const [file, tensor] = [join(paths[1], "model.safetensors"), options.changes];
  flip(file, tensor);
  try {
    changed.push(await theta(work, options));
  } finally {
    flip(file, tensor);
  }
  return { runs, alone, cores, nothing, changed, changedActions: summary(changed[0]).actions.run };
}

// ---------------------------------------------------------------------------------------------------- the report

const times = (ratio) => `${ratio.toFixed(2)}×`;
const s = (seconds) => `${seconds.toFixed(2)} s`;
const GBps = (bytesPerSecond) => `${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;
const MB = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/** Everything that is known of one method's builds. */
async function benchMethod(method, models, dir, options) {
  const finetunes = models.slice(1, 1 + (METHODS[method].finetunes ?? models.length));
  const text = recipe(method, finetunes);
  const inputs = (text.includes("base0") ? [models[0], ...finetunes] : finetunes).map(fileOf);
  writeFileSync(join(dir, "merge.theta"), text);
  const floor = [];
  for (let run = 0; run < options.runs; run++) floor.push(await ioFloor(inputs, dir));
  const { runs, alone, cores, nothing, changed, changedActions } = await benchTheta(
    method,
    models,
    inputs,
    dir,
    options,
  );
  const { read, written } = summary(runs[0]).bytes;
  const seconds = (builds) => builds.map((build) => build.seconds);
  const mergekit = await benchMergekit(method, finetunes, dir);
  clear(dir);
  return {
    seconds: seconds(runs),
    alone: seconds(alone),
    cores,
    floor,
    moved: read + written,
    cpu: median(runs.map((run) => run.cpu)),
    anonymous: Math.max(...runs.map((run) => run.anonymous)),
    nothing: seconds(nothing),
    changed: seconds(changed),
    changedActions,
    ...(mergekit && { mergekit }),
  };
}

async function benchMergekit(method, finetunes, dir) {
  const command = process.env["MERGEKIT_YAML"];
  const how = METHODS[method].mergekit;
  if (command === undefined || how === undefined) return undefined;
  const [config, output] = [join(dir, "mergekit.yml"), join(dir, "mergekit-out")];
  const names = finetunes.map((_, i) => `ft${i}`);
  writeFileSync(config, mergekitConfig(how, join(dir, "models"), names));
  const { seconds, anonymous } = await measure(command, [config, output]);
  rmSync(output, { recursive: true, force: true });
  return { seconds, anonymous };
}

const COLUMNS = [
  ["method", 18, (_, method) => method],
  ["build (slowest)", 18, ({ seconds }) => `${s(median(seconds))} (${s(Math.max(...seconds))})`],
  ["floor", 8, ({ floor }) => s(median(floor))],
  ["ratio", 6, ({ seconds, floor }) => times(median(seconds) / median(floor))],
  ["moved", 9, ({ seconds, moved }) => GBps(moved / median(seconds))],
  ["CPU", 8, ({ cpu }) => s(cpu)],
  ["anonymous", 9, ({ anonymous }) => MB(anonymous)],
  ["nothing to do", 13, ({ nothing }) => s(median(nothing))],
  ["one tensor changed", 18, ({ changed, changedActions }) => `${s(median(changed))}, ran ${changedActions}`],
];
const ONE_THREAD = [
  "one thread",
  24,
  ({ alone, seconds, cores }) =>
    `${s(median(alone))}, ${times(median(alone) / median(seconds))} of ${times(median(cores))}`,
];
const MERGEKIT = [
  "mergekit",
  24,
  ({ mergekit, seconds }) =>
    mergekit ? `${s(mergekit.seconds)}, ${MB(mergekit.anonymous)}, ${times(mergekit.seconds / median(seconds))}` : "–",
];

const row = (columns, cell) =>
  columns.map((column, i) => (i === 0 ? cell(column).padEnd(column[1]) : cell(column).padStart(column[1]))).join("  ");

const fileOf = (model) => join(model, "model.safetensors");

async function main() {
  const script = import.meta.url;
  const values = scriptArguments(script, {
    size: { type: "string", default: "small" },
    methods: { type: "string", default: Object.keys(METHODS).join(",") },
    finetunes: { type: "string", default: "3" },
    runs: { type: "string", default: "3" },
    threads: { type: "string", default: String(availableParallelism()) },
    memory: { type: "string" },
    dir: { type: "string" },
    theta: { type: "string", default: fileURLToPath(new URL("../../dist/theta.js", import.meta.url)) },
    "one-thread": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  const methods = values.methods.split(",");
  const unknown = methods.find((method) => !Object.hasOwn(METHODS, method));
  if (unknown !== undefined) {
    wrongUsage(script, `there is no method ${unknown}; there are ${Object.keys(METHODS).join(", ")}`);
  }
  if (!Object.hasOwn(SIZES, values.size)) wrongUsage(script, `there is no size ${values.size}`);
  if (!existsSync(values.theta)) wrongUsage(script, `${values.theta} is not there: run \`npm run build\` first`);
  const dir = values.dir ?? join(tmpdir(), `theta-bench-${values.size}`);
  const options = {
    theta: values.theta,
    runs: countGiven(script, values, "runs"),
    threads: countGiven(script, values, "threads"),
    memory: values.memory,
    oneThread: values["one-thread"],
    changes: values.size.startsWith("embedding") ? "model.embed_tokens.weight" : "model.layers.3.mlp.up_proj.weight",
  };
  const note = (text) => process.stderr.write(`${text}\n`);
  note(`models in ${dir}`);
  mkdirSync(dir, { recursive: true });
  const models = await generate({
    dir: join(dir, "models"),
    size: values.size,
    finetunes: countGiven(script, values, "finetunes"),
    shards: 1,
  });
  const files = models.map(fileOf);
  await readSpeed(files, 1); // into the page cache
  const machine = { read: await readSpeed(files, options.threads), copy: await copySpeed(options.threads) };
  note(`${models.length} × ${MB(statSync(files[0]).size)}, ${options.runs} runs each, median (slowest)`);
  note(`${options.threads} threads read these files at ${GBps(machine.read)} and copy memory at ${GBps(machine.copy)}`);

  const columns = [...COLUMNS];
  if (options.oneThread) columns.push(ONE_THREAD);
  if (process.env["MERGEKIT_YAML"] !== undefined) columns.push(MERGEKIT);
  note(row(columns, ([title]) => title));
  const results = {};
  for (const method of methods) {
    results[method] = await benchMethod(method, models, dir, options);
    note(row(columns, ([, , cell]) => cell(results[method], method)));
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, results })}\n`);
}

await main();
