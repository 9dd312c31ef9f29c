// Runs one fuzzer on random inputs, or on kept ones, and says which input fails.

import fc from "fast-check";
import { readFileSync } from "node:fs";
import { Choices } from "./choices.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { FUZZERS, type Kind } from "./fuzzers.ts";

const LONGEST_MS = 1000;

interface Drawn {
  readonly input: unknown;
}

/** Undefined when all inputs pass, else the smallest one found that fails, and why. `before` is told every input. */
export async function fuzz(
  kind: Kind,
  runs: number,
  seed: number,
  before: (input: unknown) => void = () => undefined,
): Promise<string | undefined> {
  const fuzzer: Fuzzer<unknown> = FUZZERS[kind].open();
  try {
    // An object hides the input from fast-check, which would print it at length.
    const drawn = fc
      .array(fc.nat(0xffff), { maxLength: fuzzer.choices, size: "max" })
      .map((numbers): Drawn => ({ input: fuzzer.make(new Choices(numbers)) }));
    const property = fc.asyncProperty(drawn, async ({ input }) => {
      before(input);
      await checkInTime(fuzzer, input);
    });
    const { failed, counterexample, errorInstance } = await fc.check(property, { numRuns: runs, seed });
    if (!failed) return undefined;
    const reason = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
    return `${kind}, seed ${seed}: ${JSON.stringify(counterexample?.[0].input)}\n${reason}`;
  } finally {
    fuzzer.close();
  }
}

async function checkInTime(fuzzer: Fuzzer<unknown>, input: unknown): Promise<void> {
  const began = performance.now();
  await fuzzer.check(input);
  if (performance.now() - began <= LONGEST_MS) return;
  // The machine may have been busy, so it is tried again by the time of the processor, which costs too much to ask each
  // time.
  const start = process.cpuUsage();
  await fuzzer.check(input);
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > LONGEST_MS) throw new Error(`took ${milliseconds.toFixed(0)} ms of the processor`);
}

/** `file` holds a JSON object: what the input once did wrong → the input. */
export async function replay(kind: Kind, file: string): Promise<void> {
  const fuzzer: Fuzzer<unknown> = FUZZERS[kind].open();
  try {
    const inputs = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
    for (const [what, input] of Object.entries(inputs)) {
      try {
        await checkInTime(fuzzer, input);
      } catch (cause) {
        throw new Error(`${kind}: ${what}`, { cause });
      }
    }
  } finally {
    fuzzer.close();
  }
}
