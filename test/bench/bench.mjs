// npm run bench -- --size 1b: how long theta takes for each method, beside the time that reading the inputs and writing the
// output costs on the same machine in the same run. Medians; nothing is averaged away, `--json` gives every run.
//
//   --size small|1b|many|embedding|embedding-f32   synthetic models (generate.mjs)      --finetunes 3
//   --methods a,b               of METHODS below                     --runs 3
//   --threads N --memory SIZE   handed to theta                      --dir DIR   models, kept between runs
//   --theta PATH                another theta.js, to compare two
//
// MERGEKIT_YAML=/path/to/mergekit-yaml measures mergekit on the same merges too.

import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { generate } from "./generate.mjs";

const SAMPLE_MS = 10;

/** What is measured: the merge in theta's words and in mergekit's, and how many fine-tunes it takes. */
const METHODS = {
  linear: {
    theta: (models) => `merge merged = linear(${models.join(", ")})`,
    mergekit: { merge_method: "linear", each: { weight: 1 } },
  },
  "task-arithmetic": {
    theta: (models) => block(models, "sum(scale: 0.3)", "weight 1"),
    mergekit: { merge_method: "task_arithmetic", base: true, each: { weight: 0.3 } },
  },
  passthrough: {
    theta: ([first]) => `merge merged = scale(${first}, by: 0.5)`,
    mergekit: { merge_method: "passthrough", each: { scale: 0.5 } },
    finetunes: 1,
  },
  slerp: {
    theta: ([first, second]) => `merge merged = slerp(${first}, ${second}, t: 0.4)`,
    mergekit: { merge_method: "slerp", pair: true, parameters: { t: 0.4 } },
    finetunes: 2,
  },
  nuslerp: {
    theta: ([first, second]) => `merge merged = nuslerp(${first}, ${second}, weight: [0.6, 0.4])`,
    mergekit: { merge_method: "nuslerp", each: { weight: 1 }, parameters: { nuslerp_flatten: true } },
    finetunes: 2,
  },
  "nuslerp-row": {
    theta: ([first, second]) => `merge merged = nuslerp(${first}, ${second}, weight: [0.6, 0.4], per: row)`,
    mergekit: { merge_method: "nuslerp", each: { weight: 1 }, parameters: { nuslerp_flatten: false } },
    finetunes: 2,
  },
  multislerp: {
    theta: (models) => block(models, "multislerp", "weight 1"),
    mergekit: { merge_method: "multislerp", base: true, each: { weight: 1 } },
  },
  karcher: {
    theta: (models) => `merge merged = karcher(${models.join(", ")})`,
    mergekit: { merge_method: "karcher" },
  },
  "model-stock": {
    theta: (models) => block(models, "model_stock"),
    mergekit: { merge_method: "model_stock", base: true },
  },
  nearswap: {
    theta: ([first]) => `merge merged onto base0 using nearswap(t: 0.001) {\n  ${first}\n}`,
    mergekit: { merge_method: "nearswap", base: true, parameters: { t: 0.001 } },
    finetunes: 1,
  },
  ties: {
    theta: (models) => block(models, "ties", "weight 1  mask magnitude(density: 0.2)"),
    mergekit: { merge_method: "ties", base: true, each: { weight: 1, density: 0.2 }, parameters: { normalize: true } },
  },
  "ties-model": {
    theta: (models) =>
      block(models, "ties(elect: unweighted, divide: count)", "mask magnitude(density: 0.2, per: model)"),
  },
  dare: {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask random(density: 0.3, seed: 7)"),
    mergekit: { merge_method: "dare_linear", base: true, each: { weight: 0.3, density: 0.3 } },
  },
  "dare-ties": {
    theta: (models) => block(models, "ties(divide: none)", "mask random(density: 0.3, seed: 7)"),
    mergekit: { merge_method: "dare_ties", base: true, each: { weight: 1, density: 0.3 } },
  },
  della: {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask della(density: 0.5, seed: 7)"),
    mergekit: { merge_method: "della_linear", base: true, each: { weight: 0.3, density: 0.5, epsilon: 0.15 } },
  },
  "breadcrumbs-row": {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask breadcrumbs(density: 0.15, drop_top: 0.01)"),
  },
  "breadcrumbs-tensor": {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask breadcrumbs(density: 0.15, drop_top: 0.01, per: tensor)"),
    mergekit: { merge_method: "breadcrumbs", base: true, each: { weight: 0.3, density: 0.15, gamma: 0.01 } },
  },
  sce: {
    theta: (models) => block(models, "sce(select: 0.1)"),
    mergekit: { merge_method: "sce", base: true, parameters: { select_topk: 0.1 } },
  },
  ram: {
    theta: (models) => block(models, "ram"),
    mergekit: { merge_method: "ram", base: true },
  },
  "ram-plus": {
    theta: (models) => block(models, "ram_plus"),
    mergekit: { merge_method: "ramplus_tl", base: true },
  },
  pcb: {
    theta: (models) => block(models, "pcb(scale: 1.2)"),
  },
  "arcee-fusion": {
    theta: (models) => block(models, "arcee_fusion"),
    mergekit: { merge_method: "arcee_fusion", base: true },
    finetunes: 1,
  },
};

const block = (models, using, clauses) =>
  `merge merged onto base0 using ${using} {\n${clauses ? `  each  ${clauses}\n` : ""}${models.map((m) => `  ${m}\n`).join("")}}`;

function recipe(method, finetunes) {
  const models = finetunes.map((_, i) => `ft${i}`);
  const base = METHODS[method].theta(models).includes("base0") ? 'base base0 = "models/base"\n' : "";
  const declared = models.map((name) => `model ${name} = "models/${name}"\n`).join("");
  return `theta 1\n\n${base}${declared}\n${METHODS[method].theta(models)}\n\noutput "merged" = merged\n`;
}

function mergekitConfig({ merge_method, base, pair, each, parameters }, models, finetunes) {
  const lines = [`merge_method: ${merge_method}`, "dtype: float32", "out_dtype: bfloat16"];
  if (base) lines.push(`base_model: ${models}/base`);
  if (pair) lines.push(`base_model: ${models}/ft0`);
  lines.push("models:");
  for (const name of finetunes) {
    lines.push(`  - model: ${models}/${name}`);
    if (each) lines.push("    parameters:", ...Object.entries(each).map(([key, value]) => `      ${key}: ${value}`));
  }
  if (parameters) lines.push("parameters:", ...Object.entries(parameters).map(([key, value]) => `  ${key}: ${value}`));
  return `${lines.join("\n")}\n`;
}

// ---------------------------------------------------------------------------------------------------- measuring

const CLOCK_TICKS = 100; // per second; what Linux reports to user space on every architecture that Node runs on

/** Processor seconds and anonymous memory of a process now, or undefined when it is gone. */
function sample(pid) {
  try {
    const [, user, system] = /^.*\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const anonymous = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    if (anonymous === null) return undefined; // a zombie has no memory
    return { cpu: (Number(user) + Number(system)) / CLOCK_TICKS, anonymous: 1024 * Number(anonymous[1]) };
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** Runs a command: wall and processor seconds, peak anonymous bytes (sampled), standard output. */
function measure(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const peak = { cpu: 0, anonymous: 0 };
    const timer = setInterval(() => {
      const now = sample(child.pid);
      if (now === undefined) return;
      peak.cpu = now.cpu;
      peak.anonymous = Math.max(peak.anonymous, now.anonymous);
    }, SAMPLE_MS);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, ...peak, stdout });
      else
        reject(
          new Error(`${command} ${args.join(" ")} exited with ${code}:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`),
        );
    });
  });
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The least that any program does: read every input once and write one output durably. Inputs are in the page cache. */
async function ioFloor(inputs, dir) {
  const target = join(dir, "floor.bin");
  rmSync(target, { force: true });
  const started = performance.now();
  const copy = measure("dd", [`if=${inputs[0]}`, `of=${target}`, "bs=16M", "conv=fdatasync"]);
  const read = async () => {
    for (const file of inputs.slice(1)) await measure("dd", [`if=${file}`, "of=/dev/null", "bs=16M"]);
  };
  await Promise.all([copy, read()]);
  const seconds = (performance.now() - started) / 1000;
  rmSync(target);
  return seconds;
}

// ---------------------------------------------------------------------------------------------------- theta

function theta(work, options) {
  const args = [options.theta, "build", "--json", "-C", work];
  if (options.threads !== undefined) args.push("--threads", options.threads);
  if (options.memory !== undefined) args.push("--memory", options.memory);
  return measure(process.execPath, args);
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

async function benchTheta(method, paths, work, options) {
  const runs = [];
  for (let run = 0; run < options.runs; run++) {
    for (const name of [".theta", "merged"]) rmSync(join(work, name), { recursive: true, force: true });
    runs.push(await theta(work, options));
  }
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
  return { runs, nothing, changed, changedActions: summary(changed[0]).actions.run };
}

// ---------------------------------------------------------------------------------------------------- the report

const s = (seconds) => `${seconds.toFixed(2)} s`;
const MB = (bytes) => `${Math.round(bytes / 1e6)} MB`;

async function main() {
  const { values } = parseArgs({
    options: {
      size: { type: "string", default: "small" },
      methods: { type: "string", default: Object.keys(METHODS).join(",") },
      finetunes: { type: "string", default: "3" },
      runs: { type: "string", default: "3" },
      threads: { type: "string" },
      memory: { type: "string" },
      dir: { type: "string" },
      theta: { type: "string", default: fileURLToPath(new URL("../../dist/theta.js", import.meta.url)) },
      json: { type: "boolean", default: false },
    },
  });
  const methods = values.methods.split(",");
  const unknown = methods.find((method) => !(method in METHODS));
  if (unknown !== undefined) throw new Error(`no method ${unknown}; there are ${Object.keys(METHODS).join(", ")}`);
  if (!existsSync(values.theta)) throw new Error(`${values.theta} is not there: run \`npm run build\` first`);
  const dir = values.dir ?? join(tmpdir(), `theta-bench-${values.size}`);
  const options = {
    theta: values.theta,
    runs: Number(values.runs),
    threads: values.threads,
    memory: values.memory,
    changes: values.size.startsWith("embedding") ? "model.embed_tokens.weight" : "model.layers.3.mlp.up_proj.weight",
  };
  const note = (text) => process.stderr.write(`${text}\n`);
  note(`models in ${dir}`);
  mkdirSync(dir, { recursive: true });
  const models = await generate({
    dir: join(dir, "models"),
    size: values.size,
    finetunes: Number(values.finetunes),
    shards: 1,
  });
  const file = (model) => join(model, "model.safetensors");
  for (const model of models) await measure("dd", [`if=${file(model)}`, "of=/dev/null", "bs=16M"]); // into the page cache
  note(`${models.length} × ${MB(statSync(file(models[0])).size)}, ${options.runs} runs each, median (slowest)`);

  const results = {};
  note(
    "method              build (slowest)      floor   ratio     CPU   anonymous   nothing to do   one tensor changed",
  );
  for (const method of methods) {
    const finetunes = models.slice(1, 1 + (METHODS[method].finetunes ?? models.length));
    const text = recipe(method, finetunes);
    const inputs = (text.includes("base0") ? [models[0], ...finetunes] : finetunes).map(file);
    writeFileSync(join(dir, "merge.theta"), text);
    const floors = [];
    for (let run = 0; run < options.runs; run++) floors.push(await ioFloor(inputs, dir));
    const measured = await benchTheta(method, models, dir, options);
    const seconds = measured.runs.map((run) => run.seconds);
    const result = {
      seconds,
      floor: floors,
      cpu: median(measured.runs.map((run) => run.cpu)),
      anonymous: Math.max(...measured.runs.map((run) => run.anonymous)),
      nothing: measured.nothing.map((run) => run.seconds),
      changed: measured.changed.map((run) => run.seconds),
      changedActions: measured.changedActions,
    };
    results[method] = result;
    const cells = [
      method.padEnd(18),
      `${s(median(seconds))} (${s(Math.max(...seconds))})`.padStart(18),
      s(median(floors)).padStart(10),
      `${(median(seconds) / median(floors)).toFixed(2)}×`.padStart(7),
      s(result.cpu).padStart(8),
      MB(result.anonymous).padStart(10),
      s(median(result.nothing)).padStart(14),
      `${s(median(result.changed))}, ran ${result.changedActions}`.padStart(20),
    ];
    note(cells.join("  "));
    const mergekit = process.env["MERGEKIT_YAML"];
    if (mergekit !== undefined && METHODS[method].mergekit !== undefined) {
      const config = join(dir, "mergekit.yml");
      writeFileSync(
        config,
        mergekitConfig(
          METHODS[method].mergekit,
          join(dir, "models"),
          finetunes.map((_, i) => `ft${i}`),
        ),
      );
      const output = join(dir, "mergekit-out");
      const run = await measure(mergekit, [config, output]);
      rmSync(output, { recursive: true, force: true });
      result.mergekit = run.seconds;
      note(
        `  mergekit ${s(run.seconds)}, ${MB(run.anonymous)}: ${(run.seconds / median(seconds)).toFixed(1)}× theta's time`,
      );
    }
    for (const name of [".theta", "merged"]) rmSync(join(dir, name), { recursive: true, force: true });
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
}

await main();
