// Arguments → one invocation. The only file that knows commander; what flags mean is settings.ts' business.

import { Command, CommanderError, Option } from "commander";
import { EXIT, Failure } from "../failure.ts";

export type Verb = "init" | "check" | "plan" | "build" | "explain";

/** Flags as typed; absent means not given. Lists keep their order, whether they stood before or behind the verb. */
export interface Flags {
  readonly directory?: string;
  readonly config?: string;
  readonly param: readonly string[];
  readonly params?: string;
  readonly store?: string;
  readonly threads?: string;
  readonly memory?: string;
  readonly device?: string;
  readonly json?: true;
  readonly color?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly only: readonly string[];
  readonly allowOutside?: true;
  readonly trustRemoteStat?: true;
  readonly detailedExitcode?: true;
  readonly hash?: true;
  readonly adopt?: true;
  readonly wait?: boolean;
  readonly format?: string;
  readonly level?: string;
  readonly tensor?: string;
}

export interface Invocation {
  readonly verb: Verb;
  /** Recipe, or for `init` the directory. */
  readonly path?: string;
  readonly flags: Flags;
}

/** Help and version were asked for: the text, for standard output. */
export interface Answer {
  readonly verb: "answer";
  readonly text: string;
}

/** @throws Failure (64) saying which argument is wrong. */
export function parseCommandLine(argv: readonly string[], version: string): Invocation | Answer {
  let text = "";
  let invocation: Invocation | undefined;
  const lists = { param: [] as string[], only: [] as string[] };
  const program = new Command("theta");

  const globals = (command: Command): Command =>
    command
      .option("-C, --directory <dir>", "run as if started in this directory")
      .option("--config <file>", "read settings from this file instead of searching for one")
      .addOption(
        new Option("-p, --param <K=V>", "set a parameter of the recipe (repeatable)").argParser((value: string) => {
          lists.param.push(value);
          return lists.param;
        }),
      )
      .option("--params <file>", "set parameters from one JSON object")
      .option("--store <dir>", "where results are kept (default: .theta beside the recipe)")
      .option("--threads <n>", "threads that compute (default: one a core)")
      .option("--memory <size>", "bound of the tensor buffers, at least 64MiB (default: 320MiB)")
      .option("--device <device>", "auto or cpu")
      .option("--json", "machine-readable output on standard output")
      .option("--color <when>", "auto, always or never")
      .option("-q, --quiet", "print errors only")
      .option("-v, --verbose", "print more");

  const verb = (name: Verb, argument: string, summary: string): Command =>
    globals(program.command(`${name} [${argument}]`))
      .summary(summary)
      .description(summary)
      .action((path: string | undefined, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<Record<string, unknown>>();
        invocation = { verb: name, ...(path !== undefined && { path }), flags: { ...flags, ...lists } };
      });
  const recipe = (command: Command): Command =>
    command
      .addOption(
        new Option("--only <output>", "this output alone, written as in the recipe (repeatable)").argParser(
          (value: string) => {
            lists.only.push(value);
            return lists.only;
          },
        ),
      )
      .option("--allow-outside", "let outputs lie outside the project's directory");
  const stat = (command: Command): Command =>
    command.option("--trust-remote-stat", "believe time stamps of network and memory file systems");

  program
    .description(
      "Builds merged models from a merge.theta recipe: incremental, bounded in memory, the same bits everywhere.",
    )
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [verb]", "print help of a verb")
    .showSuggestionAfterError(true)
    .showHelpAfterError("(theta --help lists the verbs and flags)")
    .configureHelp({ sortSubcommands: false });
  globals(program);

  recipe(stat(verb("build", "recipe", "make the outputs of a recipe (what bare `theta` does)")))
    .option("--adopt", "replace an output directory that theta did not write")
    .option("--no-wait", "fail instead of waiting for another build of the same output");
  recipe(stat(verb("plan", "recipe", "say what a build would do, and why")))
    .option("--hash", "read inputs whose digest is unknown, to know for certain")
    .option("--detailed-exitcode", "exit with 2 when there is work");
  recipe(verb("check", "recipe", "find mistakes in a recipe without reading a tensor"));
  recipe(verb("explain", "recipe", "print the merge graph"))
    .addOption(
      new Option("--format <format>", "text, dot, mermaid or json").choices(["text", "dot", "mermaid", "json"]),
    )
    .addOption(new Option("--level <level>", "recipe or tensor").choices(["recipe", "tensor"]))
    .option("--tensor <pattern>", "only tensors whose name matches this glob (implies --level tensor)");
  verb("init", "directory", "write a recipe, settings and two tiny models to start from");

  for (const command of [program, ...program.commands]) {
    command.exitOverride().allowExcessArguments(false);
    command.configureOutput({ writeOut: (part) => (text += part), writeErr: () => undefined });
  }
  try {
    program.parse(withDefaultVerb(program, argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { verb: "answer", text };
    const [message, ...help] = error.message.replace(/^error: /, "").split("\n");
    throw new Failure(EXIT.usage, message!, {
      code: "usage",
      help: help.join(" ").replace(/^\(|\)$/g, "") || "theta --help lists the verbs and flags",
    });
  }
  return invocation!;
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
