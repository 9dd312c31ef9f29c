// Arguments → one invocation. What flags mean is settings.ts' business.

import { CommanderError, type Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import type { Invocation } from "./invocation.ts";
import { declareProgram } from "./program.ts";
import { usageFailure } from "./usage-failure.ts";

/** Help and version were asked for: the text, for standard output. */
interface Answer {
  readonly verb: "answer";
  readonly text: string;
}

/** @throws Failure (64) saying which argument is wrong. */
export function parseCommandLine(argv: readonly string[], version: string): Invocation | Answer {
  refuseEmpty(argv);
  let text = "";
  let invocation: Invocation | undefined;
  const program = declareProgram(version, (asked) => {
    invocation = asked;
  });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().allowExcessArguments(false);
    command.configureOutput({ writeOut: (part) => (text += part), writeErr: () => undefined });
  }
  try {
    program.parse(withDefaultVerb(program, argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { verb: "answer", text };
    throw usageFailure(error, program, argv);
  }
  return invocation!;
}

/** No verb, path or value is empty; one that is would be the working directory, or a default that nobody meant. */
function refuseEmpty(argv: readonly string[]): void {
  const at = argv.findIndex((argument) => /^(--[^=]*=)?$/.test(argument));
  if (at < 0) return;
  const before = argv[at] === "" ? argv[at - 1] : argv[at];
  const message = before === undefined ? "the first argument is empty" : `what stands behind ${before} is empty`;
  const help = "leave it out, or see whether a variable of a script is unset";
  throw new Failure(EXIT.usage, message, { code: "usage", help });
}

/** Bare `theta`, with flags or a recipe's path, is `theta build`; a word that is neither verb nor path is a typo. */
function withDefaultVerb(program: Command, argv: readonly string[]): readonly string[] {
  const takesValue = new Set<string | undefined>();
  for (const command of [program, ...program.commands]) {
    for (const option of command.options) if (option.required) takesValue.add(option.short).add(option.long);
  }
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (["-h", "--help", "--version"].includes(argument)) return argv;
    if (takesValue.has(argument)) i++;
    else if (!argument.startsWith("-")) return /[/.]/.test(argument) ? ["build", ...argv] : argv;
  }
  return ["build", ...argv];
}
