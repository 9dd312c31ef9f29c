// `theta init`: a recipe, settings and two tiny models, so that `theta build` works at once.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { EXIT, Failure } from "../../failure.ts";
import type { Flags } from "../command-line.ts";
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
    throw new Failure(EXIT.output, `${directory} already has ${taken.join(", ")}; nothing was written`, {
      code: "exists",
      help: "theta init DIR writes into another directory",
    });
  }
  try {
    for (const [path, data] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), data, { flag: "wx" });
    }
  } catch (error) {
    throw new Failure(
      EXIT.output,
      `${directory} cannot be written: ${(error as Error).message}`,
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
