// `theta diff`: what tells two checkpoints apart, as data on standard output. Works without a recipe.

import { resolve } from "node:path";
import type { OpenedFiles } from "../../checkpoint/source-file.ts";
import { readAnyCheckpoint } from "../../compare/any-checkpoint.ts";
import { bytesToCompare, diffTensors, type TensorDiff } from "../../compare/diff-checkpoints.ts";
import { allNames, pairTensors } from "../../compare/pair-tensors.ts";
import { withPayloads } from "../../compare/payloads.ts";
import { tensorSelector } from "../../compare/select-tensors.ts";
import { EXIT } from "../../failure.ts";
import type { Flags } from "../invocation.ts";
import { nearestProject } from "../find-recipe.ts";
import { payloadOptions } from "../payload-options.ts";
import { createReadingLine } from "../progress/reading-line.ts";
import { diffJson } from "../report/diff-json.ts";
import { diffText } from "../report/diff-text.ts";
import { loadSettings } from "../settings.ts";
import { writeJson, writeMessage, writeOutput } from "../terminal.ts";

export async function diff(pathOfA: string, pathOfB: string, flags: Flags, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const settings = await loadSettings(flags, nearestProject(process.cwd()));
  const opened: OpenedFiles = new Map();
  const a = readAnyCheckpoint(resolve(pathOfA), pathOfA, opened);
  const b = readAnyCheckpoint(resolve(pathOfB), pathOfB, opened);
  const selected = tensorSelector(flags.tensor, [...new Set([...allNames(a), ...allNames(b)])]);
  const pairs = pairTensors(a, b, selected);
  const tensors = pairs.flatMap((pair) => (pair.relation === "comparable" ? [pair.a, pair.b] : []));
  const line = createReadingLine("Comparing", flags.quiet ?? false);
  const options = { ...payloadOptions(settings, flags, opened), onProgress: (bytes: number) => line.bytes(bytes) };
  let bytesRead = 0;
  let diffs: readonly TensorDiff[];
  try {
    diffs = await withPayloads(tensors, options, signal, (payloads) => {
      bytesRead = bytesToCompare(pairs, payloads);
      line.total(bytesRead);
      return diffTensors(pairs, payloads);
    });
  } finally {
    line.close();
  }
  const report = { a, b, diffs, bytesRead, seconds: (performance.now() - started) / 1000 };
  if (!pairs.some(({ a: ofA, b: ofB }) => ofA !== undefined && ofB !== undefined)) {
    writeMessage("warning: no tensor has the same name in both checkpoints\n");
  }
  if (flags.json) writeJson(diffJson(report));
  else writeOutput(diffText(report, (flags.verbose ?? false) || flags.tensor !== undefined));
  return flags.exitCode && diffs.some(({ state }) => state !== "same") ? EXIT.failed : EXIT.done;
}
