// Arguments → one invocation. The only file that knows commander; what flags mean is settings.ts' business.

import { Argument, Command, CommanderError, Option } from "commander";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { EXIT, Failure } from "../failure.ts";

export type Verb = "init" | "check" | "plan" | "build" | "explain" | "why" | "inspect" | "diff" | "cache" | "lock";

export type CacheAction = "status" | "gc" | "verify";

const CACHE_ACTIONS: readonly CacheAction[] = ["status", "gc", "verify"];

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
  readonly force?: true;
  readonly keepGoing?: true;
  readonly locked?: true;
  readonly check?: true;
  readonly adopt?: true;
  readonly wait?: boolean;
  readonly format?: string;
  readonly level?: string;
  readonly tensor?: string;
  readonly digests?: boolean;
  readonly stats?: true;
  readonly exitCode?: true;
  readonly maxSize?: string;
  readonly maxAge?: string;
  readonly dryRun?: true;
  readonly repair?: true;
}

export interface Invocation {
  readonly verb: Verb;
  /** Recipe, for `init` the directory, for `inspect` and `diff` a checkpoint. */
  readonly path?: string;
  /** Of `diff`: the second checkpoint. */
  readonly otherPath?: string;
  /** Of `why`: NAME[:TENSOR]. */
  readonly name?: string;
  /** Of `cache`. */
  readonly action?: CacheAction;
  readonly flags: Flags;
}

/** Help and version were asked for: the text, for standard output. */
interface Answer {
  readonly verb: "answer";
  readonly text: string;
}

const LOCKED = ["--locked", "fail when an input is not as the recipe's .lock file says"] as const;

/** @throws Failure (64) saying which argument is wrong. */
export function parseCommandLine(argv: readonly string[], version: string): Invocation | Answer {
  let text = "";
  let invocation: Invocation | undefined;
  const lists = { param: [] as string[], only: [] as string[] };
  const program = new Command("theta");

  const general = (command: Command): Command =>
    command
      .optionsGroup("General flags:")
      .option("-C, --directory <dir>", "run as if started in this directory")
      .option("--json", "machine-readable output on standard output")
      .option("--color <when>", "auto, always or never")
      .option("-q, --quiet", "print errors only")
      .option("-v, --verbose", "print more")
      .helpOption("-h, --help", "print help");
  const forSettings = (command: Command): Command =>
    general(
      command
        .option("--config <file>", "read settings from this file instead of searching for one")
        .option("--store <dir>", "where results are kept (default: .theta beside the recipe)")
        .option("--threads <n>", "threads that compute (default: one a core)")
        .option("--memory <size>", "bound of the tensor buffers, at least 64MiB (default: 320MiB)")
        .option("--device <device>", "auto or cpu"),
    );
  const forRecipes = (command: Command): Command =>
    forSettings(
      command
        .optionsGroup("Flags of every recipe:")
        .addOption(
          new Option("-p, --param <NAME=VALUE>", "set a parameter of the recipe (repeatable)").argParser(
            (value: string) => {
              lists.param.push(value);
              return lists.param;
            },
          ),
        )
        .option("--params <file>", "set parameters from one JSON object")
        .addOption(
          new Option("--only <output>", "this output alone, written as in the recipe (repeatable)").argParser(
            (value: string) => {
              lists.only.push(value);
              return lists.only;
            },
          ),
        )
        .option("--allow-outside", "let outputs lie outside the project's directory"),
    );

  const verb = (name: Verb, argument: string, summary: string): Command =>
    program
      .command(`${name} [${argument}]`)
      .usage(`[${argument}] [flags]`)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .optionsGroup("Flags:")
      .action((path: string | undefined, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<Record<string, unknown>>();
        invocation = { verb: name, ...(path !== undefined && { path }), flags: { ...flags, ...lists } };
      });
  const stat = (command: Command): Command =>
    command.option("--trust-remote-stat", "believe time stamps of network and memory file systems");

  program
    .usage("[verb] [recipe] [flags]")
    .description(
      "Builds merged models from a merge.theta recipe: incremental, bounded in memory, the same bits everywhere.",
    )
    .commandsGroup("Verbs:")
    .helpCommand("help [verb]", "print help of a verb")
    .showSuggestionAfterError(true)
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${argumentOf(command)}` })
    .addHelpText(
      "after",
      "\nWithout a verb, theta builds. Without a recipe, it is merge.theta of this\n" +
        "directory or the nearest one above. theta help VERB prints a verb's flags.",
    );
  forRecipes(program).version(version, "--version", "print the version");

  forRecipes(
    stat(verb("build", "recipe", "make the outputs of a recipe; what theta does without a verb"))
      .option("--force", "run also what is stored, and compare: other bits are exit code 3")
      .option("-k, --keep-going", "after a failure make what does not depend on it, and report all at the end")
      .option("--adopt", "replace an output directory that theta did not write")
      .option("--no-wait", "fail instead of waiting for another build of the same output")
      .option(...LOCKED),
  );
  forRecipes(
    stat(verb("plan", "recipe", "say what a build would do, and why"))
      .option("--hash", "read inputs whose digest is unknown, to know for certain")
      .option("--detailed-exitcode", "exit with 2 when there is work")
      .option(...LOCKED),
  );
  forRecipes(verb("check", "recipe", "find mistakes in a recipe without reading a tensor").option(...LOCKED));
  forRecipes(
    stat(verb("lock", "recipe", "write down what the inputs are, for --locked to hold to")).option(
      "--check",
      "only compare: exit with 66 when an input is not as the lock file says",
    ),
  );
  forRecipes(
    verb("explain", "recipe", "print the merge graph")
      .option("--format <format>", "text (the default), dot, mermaid or json")
      .option("--level <level>", "recipe (the default) or tensor")
      .option("--tensor <glob>", "only tensors whose whole name matches, at the level tensor"),
  );
  forRecipes(
    program
      .command("why")
      .argument("<name>")
      .argument("[recipe]")
      .usage("NAME[:TENSOR] [recipe] [flags]")
      .summary("say why tensors of an output were made, or were not")
      .description(
        "Says what the last build did to an output and why: which input or parameter changed, from what to what, " +
          "and which tensors that reached. NAME is an output's path as in the recipe, or a declared name: then all " +
          "outputs made of it. TENSOR, behind the last colon, is a tensor's name or a glob.",
      )
      .action((name: string, path: string | undefined, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<Record<string, unknown>>();
        invocation = { verb: "why", name, ...(path !== undefined && { path }), flags: { ...flags, ...lists } };
      })
      .optionsGroup("Flags:"),
  );
  forSettings(
    stat(
      program
        .command("inspect")
        .argument("<checkpoint>")
        .usage("<checkpoint> [flags]")
        .summary("say what is in a checkpoint; needs no recipe")
        .description(
          "Says what is in a checkpoint: a .safetensors file, a model's directory, an adapter, a task vector, an output.",
        )
        .action((path: string, _options: unknown, command: Command) => {
          const flags = command.optsWithGlobals<Record<string, unknown>>();
          invocation = { verb: "inspect", path, flags: { ...flags, ...lists } };
        })
        .optionsGroup("Flags:")
        .option("--tensor <glob>", "only tensors whose whole name matches, each in a line")
        .option("--digests", "SHA-256 of each payload, and of all as builds print it (the default with --json)")
        .option("--no-digests", "with --json: read no payload")
        .option("--stats", "min, max, mean, RMS, zeros, NaN and infinities of each floating tensor"),
    ),
  );
  forSettings(
    stat(
      program
        .command("diff")
        .argument("<a>")
        .argument("<b>")
        .usage("<a> <b> [flags]")
        .summary("say what changed between two checkpoints; needs no recipe")
        .description(
          "Says what changed between two checkpoints, the largest change first; --verbose has a line a tensor.",
        )
        .action((path: string, otherPath: string, _options: unknown, command: Command) => {
          const flags = command.optsWithGlobals<Record<string, unknown>>();
          invocation = { verb: "diff", path, otherPath, flags: { ...flags, ...lists } };
        })
        .optionsGroup("Flags:")
        .option("--tensor <glob>", "only tensors whose whole name matches, each in a line")
        .option("--exit-code", "exit with 1 when the checkpoints differ in anything"),
    ),
  );
  forSettings(
    program
      .command("cache")
      .addArgument(new Argument("<action>", "status, gc or verify"))
      .argument("[recipe]", "whose store is meant; --store names one outright")
      .usage("status|gc|verify [recipe] [flags]")
      .summary("look at the store, delete what nothing needs, check every byte")
      .description(
        "status  what lies in the store, and what gc would free\n" +
          "gc      delete what no output and no running build needs, least recently used first\n" +
          "verify  read every stored and published tensor and compare it with its digest",
      )
      .action((action: string, path: string | undefined, _options: unknown, command: Command) => {
        const flags = command.optsWithGlobals<Record<string, unknown>>();
        invocation = {
          verb: "cache",
          action: cacheAction(action),
          ...(path !== undefined && { path }),
          flags: { ...flags, ...lists },
        };
      })
      .optionsGroup("Flags:")
      .option(
        "--max-size <size>",
        "gc: what no output needs may take so much (default: half of what is free without it)",
      )
      .option("--max-age <age>", "gc: and was needed so recently, such as 12h or 30d (default: 30d)")
      .option("--dry-run", "gc: only say what would be deleted")
      .option("--repair", "verify: drop what is wrong, so that the next build makes it again")
      .optionsGroup("Flags of the store:"),
  );
  general(verb("init", "directory", "write a recipe, settings and two tiny models to start from"));

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

/** What a verb takes, as the list of verbs shows it. */
function argumentOf(command: Command): string {
  if (command.name() === "cache") return CACHE_ACTIONS.join("|");
  const required = command.registeredArguments.filter((argument) => argument.required);
  if (required.length > 0) return required.map((argument) => argument.name()).join(" ");
  return command.registeredArguments.map((argument) => `[${argument.name()}]`).join(" ");
}

function cacheAction(text: string): CacheAction {
  const action = CACHE_ACTIONS.find((name) => name === text);
  if (action !== undefined) return action;
  const near = didYouMean(text, CACHE_ACTIONS);
  throw new Failure(EXIT.usage, `theta cache cannot ${JSON.stringify(text)}`, {
    code: "usage",
    help: near === undefined ? "it can status, gc and verify" : `did you mean ${near}?`,
  });
}

/** What commander found wrong, in our words. */
function usageFailure({ code, message }: CommanderError, program: Command, argv: readonly string[]): Failure {
  const verbs = [...program.commands.map((command) => command.name()), "help"];
  const verb = argv.find((argument) => verbs.includes(argument));
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? "";
  const [flag = ""] = /--[a-z-]+/.exec(quoted) ?? [];
  const near = /\(Did you mean (.*)\?\)/s.exec(message)?.[1];
  const fail = (sentence: string, help: string): Failure =>
    new Failure(EXIT.usage, sentence, { code: "usage", help: near === undefined ? help : `did you mean ${near}?` });
  const flags = verb === undefined || verb === "help" ? "theta --help" : `theta help ${verb}`;
  switch (code) {
    case "commander.help": // of a verb that there is not
      return noSuchVerb(argv[argv.indexOf("help") + 1] ?? "", verbs);
    case "commander.unknownCommand":
      return noSuchVerb(quoted, verbs);
    case "commander.unknownOption":
      return fail(`theta ${verb ?? "build"} has no flag ${quoted}`, `${flags} lists the flags`);
    case "commander.optionMissingArgument":
      return fail(`${flag} needs a value`, `write ${quoted.replace(/^-\w, /, "")}`);
    case "commander.missingArgument":
      return missingArgument(verb);
    case "commander.excessArguments":
      return fail(
        `theta ${quoted} takes ${quoted === "diff" ? "two paths" : "one path"}`,
        `${flags} says what it takes`,
      );
    default:
      return fail(message.replace(/^error: /, ""), `${flags} lists the flags`);
  }
}

/** Of the verbs that need one. */
function missingArgument(verb: string | undefined): Failure {
  const fail = (message: string, help: string): Failure => new Failure(EXIT.usage, message, { code: "usage", help });
  if (verb === "why") return fail("theta why needs a name", "write theta why NAME, such as an output's path");
  if (verb === "inspect") return fail("theta inspect needs a checkpoint", "write theta inspect path/to/model");
  if (verb === "diff") return fail("theta diff needs two checkpoints", "write theta diff path/to/a path/to/b");
  return fail("theta cache needs to know what to do", "write theta cache status, gc or verify");
}

function noSuchVerb(name: string, verbs: readonly string[]): Failure {
  const near = didYouMean(name, verbs);
  return new Failure(EXIT.usage, `there is no verb ${name}`, {
    code: "usage",
    help:
      near === undefined
        ? `verbs are ${verbs.join(", ")}; a recipe in this directory is written ./${name}`
        : `did you mean ${near}?`,
  });
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
