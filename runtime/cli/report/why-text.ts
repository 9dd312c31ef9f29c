// What `theta why` says to people: an output a paragraph, its tensors by reason; each tensor by itself where few are asked
// for.

import { counted } from "../../../dsl/counted.ts";
import { printable } from "../../../dsl/printable.ts";
import type { ToldTensor, Why } from "../../history/why.ts";
import type { OutputAnswer } from "../commands/why.ts";
import type { WhyTarget } from "../why-target.ts";
import { changeText, parameterText, reasonLines, shortDigest, type Reasoned } from "./reason-text.ts";

type Told = Extract<Why, { state: "told" }>;

export function whyText(
  { name, role }: WhyTarget,
  answers: readonly OutputAnswer[],
  damaged: number,
  verbose: boolean,
): string {
  const lines = answers.flatMap((answer) => outputLines(answer, role, verbose));
  if (answers.length === 0) lines.push(`No output of the recipe is made of ${printable(name)}`);
  if (damaged > 0) lines.push(`${damaged === 1 ? "One record" : `${damaged} records`} of builds could not be read`);
  return `${lines.join("\n")}\n`;
}

function outputLines({ display, why }: OutputAnswer, role: string | undefined, verbose: boolean): readonly string[] {
  const output = printable(display);
  switch (why.state) {
    case "never-built":
      return [`${output} was never built: theta build makes it, theta plan says what that does`];
    case "not-recorded":
      return [
        `${output} was built ${time(why.published)} by theta ${why.theta}, and the record of that build is gone:`,
        `  why its tensors ran cannot be told any more; the next build that changes it is recorded`,
      ];
    case "told":
      return [`${output}: ${headline(why)}`, ...tellingLines(why, role, verbose).map((line) => `  ${line}`)];
  }
}

function headline({ build, output }: Told): string {
  const ran = `${output.tensors.filter(({ how }) => how === "run").length} of ${counted(output.tensors.length, "tensor")} ran`;
  const when = `in the build of ${time(build.started)}`;
  const hasRun = output.tensors.some(({ how }) => how === "run");
  switch (output.state) {
    case "published":
      return hasRun ? `${ran} ${when}` : `nothing ran ${when}, it was published from the store`;
    case "relearned":
    case "current":
      return hasRun ? `${ran} ${when} and gave what it held` : `nothing ran ${when}, it held the result already`;
    case "failed":
      return `${ran} ${when}; it could not be finished and kept what it held`;
  }
}

function tellingLines(why: Told, role: string | undefined, verbose: boolean): readonly string[] {
  const { output, tensors, later } = why;
  const notes = [
    ...(later === undefined ? [] : [`a later build published it ${time(later)} and left no record`]),
    ...(output.because === undefined || output.tensors.some(({ reason }) => reason !== "up-to-date")
      ? []
      : [`published because ${printable(output.because)}`]),
    ...(tensors.length === 0 && role !== undefined ? [`none of its tensors reads ${printable(role)}`] : []),
  ];
  if (verbose || tensors.length === 1) return [...notes, ...tensors.flatMap((told) => tensorLines(why, told))];
  return [
    ...notes,
    ...reasonLines(
      tensors.map((told) => reasoned(why, told)),
      output.parameters,
    ),
    ...lastRuns(tensors),
  ];
}

const SIGNS = { run: "+", reused: "=", unmade: "!" } as const;

function reasoned({ output }: Told, { tensor }: ToldTensor): Reasoned {
  const { name, how, reason, wanted, changes } = tensor;
  const words = {
    run: reason,
    unmade: `not made, ${reason}`,
    reused: wanted === undefined ? reason : `${reason}, ${wanted}`,
  };
  return {
    tensor: name,
    sign: SIGNS[how],
    reason: words[how],
    changes: changes.map((change) => output.changes[change]!),
  };
}

/** The whole chain of one tensor, from the recipe's parameter to the bytes. */
function tensorLines(why: Told, told: ToldTensor): readonly string[] {
  const { tensor, lastRun } = told;
  const { sign, reason, changes } = reasoned(why, told);
  const isOfRecipe = changes.some(({ kind }) => kind !== "input");
  const steps = [
    isOfRecipe ? why.output.parameters.map(parameterText) : [],
    changes.map((change) => changeText([change])),
    [bytesText(tensor), ...(lastRun === undefined ? [] : [`last ran ${time(lastRun.started)}: ${lastRun.reason}`])],
  ].filter((lines) => lines.length > 0);
  const chain = steps.flatMap((lines, depth) => lines.map((line) => `${"  ".repeat(depth + 2)}${printable(line)}`));
  return [`${sign} ${reason}: ${printable(tensor.name)}`, ...chain];
}

function bytesText({ name, digest, how, was }: ToldTensor["tensor"]): string {
  if (digest === undefined) return `${name}: ${how === "run" ? "made, and not published" : "not made"}`;
  return `${name}: ${was === undefined ? "" : `${shortDigest(was)} -> `}${shortDigest(digest)}`;
}

/** Of those that did not run: when they did. */
function lastRuns(tensors: readonly ToldTensor[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { lastRun } of tensors) {
    if (lastRun === undefined) continue;
    const when = `${time(lastRun.started)} (${lastRun.reason})`;
    counts.set(when, (counts.get(when) ?? 0) + 1);
  }
  const parts = [...counts].map(([when, count]) => `${count} last ran ${when}`);
  if (parts.length === 0) return [];
  return [
    `of those that did not run, ${parts.slice(0, MOST_TIMES).join(", ")}${parts.length > MOST_TIMES ? ", …" : ""}`,
  ];
}

const MOST_TIMES = 3;

/** 2026-11-21 18:03:12 UTC */
function time(rfc3339: string): string {
  return `${rfc3339.slice(0, 10)} ${rfc3339.slice(11, 19)} UTC`;
}
