// Acceptance 1 of the merge mathematics: outputs and counters equal the strict oracle's bit for bit, for every kind of
// dtype, shape and content, whatever the chunk size, the memory and the instruction set.

import { openSync, readFileSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { ComputeTask, Engine, InputCounters, MaskCounters, TaskResult } from "../../native/addon-types.ts";
import { loadAddon } from "../../native/index.ts";
import { readSafetensors } from "../support/tensors.ts";
import { golden, goldenFile, programOf, type GoldenCase, type GoldenProgram } from "./golden-case.ts";
import { payloadFile, rejection } from "./shell/payload-file.ts";

interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

const addon = loadAddon();
const inputsFile = openSync(goldenFile("inputs"), "r");
const outputFile = payloadFile();
const inputs = storedTensors(readFileSync(goldenFile("inputs")));
const expected = readSafetensors(fileURLToPath(goldenFile("expect")));

function storedTensors(file: Buffer): ReadonlyMap<string, StoredTensor> {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + length)) as Record<
    string,
    { readonly dtype: string; readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] }
  >;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin],
        },
      ]) => [name, { dtype, shape, offset: 8 + length + begin }],
    ),
  );
}

function taskOf(golden: GoldenCase, program: GoldenProgram, shape: readonly number[]): ComputeTask {
  return {
    kind: "compute",
    label: golden.name,
    inputs: program.inputs.map((name) => ({ ...inputs.get(name)!, fd: inputsFile, digest: false })),
    operations: program.operations,
    work: golden.work ?? "F32",
    output: { fd: outputFile, offset: 0, dtype: golden.out, shape, overflow: golden.overflow ?? "inf" },
  };
}

/** What the oracle's counters say, as the addon says it. */
function countersOf(golden: GoldenCase, program: GoldenProgram): object {
  const counters = golden.counters ?? {};
  const positions = [0, ...program.entries.map((entry) => entry.input)];
  const ofInput = program.inputs.map((_, input): InputCounters => {
    const position = program.entries.length > 0 ? positions.indexOf(input) : input;
    const [nan, firstNan, inf, firstInf] = counters.inputs?.[position] ?? [0, -1, 0, -1];
    return { nan, firstNan, inf, firstInf };
  });
  const selects = program.entries.flatMap(({ select }, i): MaskCounters[] =>
    select === undefined
      ? []
      : [
          {
            operation: select,
            kept: counters.kept?.[i] ?? 0,
            empty: counters.empty?.[i] ?? 0,
            firstEmpty: counters.first_empty?.[i] ?? -1,
          },
        ],
  );
  return {
    inputs: ofInput,
    selects,
    overflow: counters.overflow ?? 0,
    firstOverflow: counters.first_overflow ?? -1,
  };
}

function countersFound(result: TaskResult, program: GoldenProgram): object {
  const selects = new Set(program.entries.map((entry) => entry.select));
  return {
    inputs: result.inputCounters,
    selects: result.masks.filter((mask) => selects.has(mask.operation)),
    overflow: result.overflow,
    firstOverflow: result.firstOverflow,
  };
}

async function check(engine: Engine, golden: GoldenCase): Promise<void> {
  const { shape } = inputs.get(`${golden.inputs}/base`)!;
  const program = programOf(golden, shape.length === 0);
  const task = taskOf(golden, program, shape);
  if (golden.expect === undefined) {
    expect(await rejection(engine.run(task)), golden.name).toMatchObject({ code: "input", message: golden.error });
    return;
  }
  const result = await engine.run(task);
  const { data } = expected.get(golden.expect)!;
  const output = Buffer.alloc(data.length);
  readSync(task.output.fd, output, 0, output.length, 0);
  expect(output.equals(data), golden.name).toBe(true);
  expect(countersFound(result, program), golden.name).toEqual(countersOf(golden, program));
}

/** An engine that uses these kernels. */
function engineOf(variant: string, memory: number, chunk: number): Engine {
  const before = process.env["THETA_ISA"];
  process.env["THETA_ISA"] = variant;
  const engine = addon.createEngine({ threads: 2, memory, chunk });
  if (before === undefined) delete process.env["THETA_ISA"];
  else process.env["THETA_ISA"] = before;
  return engine;
}

const settings = addon.variants.map((variant, i) => ({
  variant,
  memory: 64 << 20,
  chunk: [1 << 20, 256, 4096][i % 3]!,
}));
settings.push({ variant: addon.variants[0]!, memory: 64 << 20, chunk: 64 });

test.each(settings)("every case, $variant kernels, chunks of $chunk bytes", async ({ variant, memory, chunk }) => {
  expect(golden.cases.length).toBe(1372);
  const engine = engineOf(variant, memory, chunk);
  for (const one of golden.cases) await check(engine, one);
  engine.close();
});
