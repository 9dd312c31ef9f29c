// The verbs and their flags, as commander takes them and help prints them.

import { Argument, Command, Help, Option } from "commander";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { EXIT, Failure } from "../failure.ts";
import type { CacheAction, Flags, Invocation, RecipeVerb, Request } from "./invocation.ts";

const CACHE_ACTIONS: readonly CacheAction[] = ["status", "gc", "verify"];

/** Calls `take` with what a parsed command line asks for. */
export function declareProgram(version: string, take: (invocation: Invocation) => void): Command {
  const program = new Command("theta")
    .usage("[verb] [recipe] [flags]")
    .description(
      "Builds merged models from a merge.theta recipe: incremental, bounded in memory, the same bits everywhere.",
    )
    .commandsGroup("Verbs:")
    .helpCommand("help [verb]", "print help of a verb")
    .showSuggestionAfterError(true)
    .configureHelp({
      subcommandTerm: (command) => `${command.name()} ${argumentOf(command)}`,
      formatHelp: (command, helper) => verbsFirst(Help.prototype.formatHelp.call(helper, command, helper)),
    })
    .addHelpText(
      "after",
      "\nWithout a verb, theta builds. Without a recipe, it is merge.theta of this\n" +
        "directory or the nearest one above. theta help VERB prints a verb's flags.",
    );
  const lists: Lists = { param: [], only: [] };
  recipeFlags(program, lists).version(version, "--version", "print the version");

  const asks = (request: Request, command: Command): void => {
    take({ ...request, flags: { ...command.optsWithGlobals<Omit<Flags, keyof Lists>>(), ...lists } });
  };
  const verb = (name: Request["verb"], summary: string, description = `${capitalized(summary)}.`): Command =>
    program.command(name).summary(summary).description(description).optionsGroup("Flags:");
  const ofRecipe = (name: RecipeVerb, summary: string): Command =>
    verb(name, summary)
      .argument("[recipe]")
      .usage("[recipe] [flags]")
      .action((recipe: string | undefined, _, command: Command) => asks({ verb: name, recipe }, command));

  recipeFlags(
    statFlag(ofRecipe("build", "make the outputs of a recipe; what theta does without a verb"))
      .option("--force", "run also what is stored, and compare: other bits are exit code 3")
      .option("-k, --keep-going", "after a failure make what does not depend on it, and report all at the end")
      .option("--adopt", "replace an output directory that theta did not write")
      .option("--no-wait", "fail instead of waiting for another build of the same output")
      .option(...LOCKED),
    lists,
  );
  recipeFlags(
    statFlag(ofRecipe("plan", "say what a build would do, and why"))
      .option("--hash", "read inputs whose digest is unknown, to know for certain")
      .option("--detailed-exitcode", "exit with 2 when there is work")
      .option("--adopt", "as a build that may replace an output directory that theta did not write")
      .option("-k, --keep-going", "as a build that goes on after a failure")
      .option(...LOCKED),
    lists,
  );
  recipeFlags(ofRecipe("check", "find mistakes in a recipe without reading a tensor").option(...LOCKED), lists);
  recipeFlags(
    statFlag(ofRecipe("lock", "write down what the inputs are, for --locked to hold to")).option(
      "--check",
      "only compare: exit with 66 when an input is not as the lock file says",
    ),
    lists,
  );
  recipeFlags(
    ofRecipe("explain", "print the merge graph")
      .option("--format <format>", "text (the default), dot, mermaid or json")
      .option("--level <level>", "recipe (the default) or tensor")
      .option("--tensor <glob>", "only tensors whose whole name matches, at the level tensor"),
    lists,
  );
  recipeFlags(
    verb(
      "why",
      "say why tensors of an output were made, or were not",
      "Says what the last build did to an output and why: which input or parameter changed, from what to what, " +
        "and which tensors that reached. NAME is an output's path as in the recipe, or a declared name: then all " +
        "outputs made of it. TENSOR, behind the last colon, is a tensor's name or a glob.",
    )
      .argument("<name>")
      .argument("[recipe]")
      .usage("NAME[:TENSOR] [recipe] [flags]")
      .action((name: string, recipe: string | undefined, _, command: Command) =>
        asks({ verb: "why", name, recipe }, command),
      ),
    lists,
  );
  settingsFlags(
    statFlag(
      verb(
        "inspect",
        "say what is in a checkpoint; needs no recipe",
        "Says what is in a checkpoint: a .safetensors file, a model's directory, an adapter, a task vector, an output.",
      )
        .argument("<checkpoint>")
        .usage("<checkpoint> [flags]")
        .action((checkpoint: string, _, command: Command) => asks({ verb: "inspect", checkpoint }, command))
        .option("--tensor <glob>", "only tensors whose whole name matches, each in a line")
        .option("--digests", "SHA-256 of each payload, and of all as builds print it (the default with --json)")
        .option("--no-digests", "with --json: read no payload")
        .option("--stats", "min, max, mean, RMS, zeros, NaN and infinities of each floating tensor"),
    ),
  );
  settingsFlags(
    statFlag(
      verb(
        "diff",
        "say what changed between two checkpoints; needs no recipe",
        "Says what changed between two checkpoints, the largest change first; --verbose has a line a tensor.",
      )
        .argument("<a>")
        .argument("<b>")
        .usage("<a> <b> [flags]")
        .action((a: string, b: string, _, command: Command) => asks({ verb: "diff", a, b }, command))
        .option("--tensor <glob>", "only tensors whose whole name matches, each in a line")
        .option("--exit-code", "exit with 1 when the checkpoints differ in anything"),
    ),
  );
  settingsFlags(
    verb(
      "cache",
      "look at the store, delete what nothing needs, check every byte",
      "status  what lies in the store, and what gc would free\n" +
        "gc      delete what no output and no running build needs, least recently used first\n" +
        "verify  read every stored and published tensor and compare it with its digest",
    )
      .addArgument(new Argument("<action>", "status, gc or verify"))
      .argument("[recipe]", "whose store is meant; --store names one outright")
      .usage("status|gc|verify [recipe] [flags]")
      .action((action: string, recipe: string | undefined, _, command: Command) =>
        asks({ verb: "cache", action: cacheAction(action), recipe }, command),
      )
      .option(
        "--max-size <size>",
        "gc: what no output needs may take so much (default: half of what is free without it)",
      )
      .option("--max-age <age>", "gc: and was needed so recently, such as 12h or 30d (default: 30d)")
      .option("--dry-run", "gc: only say what would be deleted")
      .option("--repair", "verify: drop what is wrong, so that the next build makes it again")
      .optionsGroup("Flags of the store:"),
  );
  generalFlags(
    verb("init", "write a recipe, settings and two tiny models to start from")
      .argument("[directory]")
      .usage("[directory] [flags]")
      .action((directory: string | undefined, _, command: Command) => asks({ verb: "init", directory }, command)),
  );
  return program;
}

const LOCKED = ["--locked", "fail when an input is not as the recipe's .lock file says"] as const;

/** Flags that may be repeated. Their values keep their order, whether they stood before or behind the verb. */
interface Lists {
  readonly param: string[];
  readonly only: string[];
}

function recipeFlags(command: Command, lists: Lists): Command {
  const repeatable = (list: keyof Lists, flag: string, description: string): Option =>
    new Option(flag, `${description} (repeatable)`).argParser((value) => {
      lists[list].push(value);
      return lists[list];
    });
  return settingsFlags(
    command
      .optionsGroup("Flags of every recipe:")
      .addOption(repeatable("param", "-p, --param <NAME=VALUE>", "set a parameter of the recipe"))
      .option("--params <file>", "set parameters from one JSON object")
      .addOption(repeatable("only", "--only <output>", "this output alone, written as in the recipe"))
      .option("--allow-outside", "let outputs lie outside the project's directory"),
  );
}

function settingsFlags(command: Command): Command {
  return generalFlags(
    command
      .option("--config <file>", "read settings from this file instead of searching for one")
      .option("--store <dir>", "where results are kept (default: .theta beside the recipe)")
      .option("--threads <n>", "threads that compute (default: one a core)")
      .option("--memory <size>", "bound of the tensor buffers, at least 64MiB (default: 320MiB)")
      .option("--device <device>", "auto or cpu"),
  );
}

function generalFlags(command: Command): Command {
  return command
    .optionsGroup("General flags:")
    .option("-C, --directory <dir>", "run as if started in this directory")
    .option("--json", "machine-readable output on standard output")
    .option("--color <when>", "auto, always or never")
    .option("-q, --quiet", "print errors only")
    .option("-v, --verbose", "print more")
    .helpOption("-h, --help", "print help");
}

function statFlag(command: Command): Command {
  return command.option("--trust-remote-stat", "believe time stamps of network and memory file systems");
}

/** commander puts the list of verbs last, below flags that most readers did not come for. */
function verbsFirst(help: string): string {
  const [usage, description, ...sections] = help.trimEnd().split("\n\n");
  const isVerbs = (section: string): boolean => section.startsWith("Verbs:");
  const sorted = [...sections.filter(isVerbs), ...sections.filter((section) => !isVerbs(section))];
  return `${[usage, description, ...sorted].join("\n\n")}\n`;
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

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
