// `theta inspect`: what is in a checkpoint, as data on standard output. Works without a recipe.

import { resolve } from "node:path";
import { printable } from "../../../dsl/printable.ts";
import type { OpenedFiles } from "../../checkpoint/source-file.ts";
import { readAnyCheckpoint, type AnyCheckpoint } from "../../compare/any-checkpoint.ts";
import {
  bytesToRead,
  inspectHeaders,
  inspectPayloads,
  selectTensors,
  type Inspection,
} from "../../compare/inspect-checkpoint.ts";
import { allNames } from "../../compare/pair-tensors.ts";
import { withPayloads } from "../../compare/payloads.ts";
import { tensorSelector } from "../../compare/select-tensors.ts";
import { EXIT } from "../../failure.ts";
import type { Flags } from "../invocation.ts";
import { nearestProject } from "../find-recipe.ts";
import { payloadOptions } from "../payload-options.ts";
import { createReadingLine } from "../progress/reading-line.ts";
import { inspectJson } from "../report/inspect-json.ts";
import { inspectText } from "../report/inspect-text.ts";
import { loadSettings } from "../settings.ts";
import { writeJson, writeMessage, writeOutput } from "../terminal.ts";

export async function inspect(path: string, flags: Flags, signal: AbortSignal): Promise<number> {
  const settings = await loadSettings(flags, nearestProject(process.cwd()));
  const opened: OpenedFiles = new Map();
  const checkpoint = readAnyCheckpoint(resolve(path), path, opened);
  const selected = tensorSelector(flags.tensor, allNames(checkpoint));
  const headers = inspectHeaders(selectTensors(checkpoint, selected));
  // Digests need every byte: those who read JSON are promised them, those who look get them when they ask.
  const wanted = { digests: flags.digests ?? flags.json ?? false, statistics: flags.stats ?? false };
  const inspection =
    wanted.digests || wanted.statistics
      ? await read(checkpoint, headers, wanted, payloadOptions(settings, flags, opened), flags, signal)
      : headers;
  warnOfEdits(checkpoint, inspection);
  if (flags.json) writeJson(inspectJson(checkpoint, inspection));
  else writeOutput(inspectText(checkpoint, inspection, (flags.verbose ?? false) || flags.tensor !== undefined));
  return EXIT.done;
}

async function read(
  checkpoint: AnyCheckpoint,
  headers: Inspection,
  wanted: { readonly digests: boolean; readonly statistics: boolean },
  options: ReturnType<typeof payloadOptions>,
  flags: Flags,
  signal: AbortSignal,
): Promise<Inspection> {
  const line = createReadingLine("Reading", flags.quiet ?? false);
  const tensors = headers.tensors.map(({ tensor }) => tensor);
  const whole = tensors.length === checkpoint.tensors.size;
  try {
    return await withPayloads(tensors, { ...options, onProgress: (bytes) => line.bytes(bytes) }, signal, (payloads) => {
      line.total(bytesToRead(headers.tensors, payloads, wanted));
      return inspectPayloads(headers, whole, payloads, wanted);
    });
  } finally {
    line.close();
  }
}

function warnOfEdits({ facts, display }: AnyCheckpoint, { digest }: Inspection): void {
  const recorded = facts.output?.digest;
  if (digest === undefined || recorded === undefined || digest === recorded) return;
  writeMessage(
    `warning: the tensors of ${printable(display)} are not those that theta wrote: theta.json records ${recorded}\n`,
  );
}
