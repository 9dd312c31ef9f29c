// What commander finds wrong with a command line, in our words.

import type { Command, CommanderError } from "commander";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { EXIT, Failure } from "../failure.ts";

/** Exit code 64, with the argument that is wrong. */
export function usageFailure({ code, message }: CommanderError, program: Command, argv: readonly string[]): Failure {
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
      return noSuchVerb(argv[argv.indexOf("help") + 1] ?? "", verbs, "METHODS.md has the methods");
    case "commander.unknownCommand":
      return noSuchVerb(quoted, verbs, `a recipe in this directory is written ./${quoted}`);
    case "commander.unknownOption":
      return fail(
        `theta ${verb ?? "build"} has no flag ${quoted}`,
        quoted === "--dry-run" ? "theta plan says what a build would do" : `${flags} lists the flags`,
      );
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

function noSuchVerb(name: string, verbs: readonly string[], otherwise: string): Failure {
  const near = didYouMean(name, verbs);
  return new Failure(EXIT.usage, `there is no verb ${name}`, {
    code: "usage",
    help: near === undefined ? `verbs are ${verbs.join(", ")}; ${otherwise}` : `did you mean ${near}?`,
  });
}
