// The process that fuzzes; run.mjs starts and watches it. Arguments: kinds, runs, seed, file for the input in progress.

import { ftruncateSync, openSync, writeSync } from "node:fs";
import { fuzz } from "./fuzz-kind.ts";
import { FUZZERS, KINDS } from "./fuzzers.ts";

const [only, runs, seed, inProgress] = process.argv.slice(2);
const kinds = KINDS.filter((kind) => only === "all" || kind === only);
const shares = kinds.reduce((sum, kind) => sum + FUZZERS[kind].share, 0);
const file = openSync(inProgress!, "w");
let failures = 0;
for (const kind of kinds) {
  const count = Math.max(1, Math.round((Number(runs) * FUZZERS[kind].share) / shares));
  const start = performance.now();
  const failure = await fuzz(kind, count, Number(seed), (input) => {
    const length = writeSync(file, JSON.stringify(input), 0);
    ftruncateSync(file, length);
  });
  if (failure === undefined) {
    console.log(`${kind}: ${count} inputs, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } else {
    failures++;
    console.error(failure);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
