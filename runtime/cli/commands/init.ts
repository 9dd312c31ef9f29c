// `theta init`: a recipe, settings and two tiny models, so that `theta build` works at once.

import { existsSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EXIT, Failure } from "../../failure.ts";
import { makeFolder } from "../../store/make-folder.ts";
import { systemErrorText } from "../../system-error.ts";
import type { Flags } from "../invocation.ts";
import { tinyLlama } from "../tiny-model.ts";
import { writeJson, writeMessage } from "../terminal.ts";

const RECIPE = `theta 1

# What a fine-tune learnt, laid onto its base: only the middle of each row's changes, at 60 %.
param strength: number(min: 0, max: 2) = 0.6

base  start = "models/base"
model tuned = "models/tuned"

mask crumbs = breadcrumbs(density: 0.5, drop_top: 0.02)

merge mixed onto start using sum {
  tuned  weight strength  mask crumbs
  at "*norm*"  keep start
}

output "dist/mixed" = mixed
`;

const SETTINGS = `{
  "memory": "320MiB"
}
`;

const IGNORE = ".theta/\ndist/\n";

/** @throws Failure (73) when a file it would write exists; nothing is written then. */
export function init(directory: string, flags: Flags): number {
  const files: [string, string | Uint8Array][] = [
    ["merge.theta", RECIPE],
    [".thetarc.json", SETTINGS],
    [".gitignore", IGNORE],
    ...tinyLlama(0).map(([name, data]): [string, string | Uint8Array] => [`models/base/${name}`, data]),
    ...tinyLlama(1).map(([name, data]): [string, string | Uint8Array] => [`models/tuned/${name}`, data]),
  ];
  const root = resolve(directory);
  const taken = files.filter(([path]) => existsSync(join(root, path))).map(([path]) => path);
  if (taken.length > 0) {
    const others = taken.length > 1 ? ` and ${taken.length - 1} more of the files that init writes` : "";
    const where = directory === "." ? "this directory" : directory;
    throw new Failure(EXIT.output, `${where} already has ${taken[0]!}${others}; nothing was written`, {
      code: "exists",
      help: "write into another directory: theta init DIR",
    });
  }
  try {
    for (const [path, data] of files) {
      makeFolder(dirname(join(root, path)));
      writeFileSync(join(root, path), data, { flag: "wx" });
    }
  } catch (error) {
    throw new Failure(
      EXIT.output,
      `${directory} cannot be written: ${systemErrorText(error)}`,
      { code: "unwritable" },
      error,
    );
  }
  if (flags.json) writeJson({ schema: "theta.init/1", directory: root, files: files.map(([path]) => path) });
  if (!flags.quiet) {
    const there = relative(process.cwd(), root);
    writeMessage(
      `Wrote merge.theta, .thetarc.json, .gitignore and two tiny models under models/.\n` +
        `Next: ${there === "" ? "" : `cd ${there} && `}theta build\n`,
    );
  }
  return EXIT.done;
}
