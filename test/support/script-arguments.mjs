// Flags of the scripts that people run by hand. What a script takes stands in the comment at its top, which is its help.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** `script`: its import.meta.url. `options`: as parseArgs takes them. Ends the process when help is asked for. */
export function scriptArguments(script, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } } });
    if (values.help !== true) return values;
  } catch (error) {
    wrongUsage(script, error.message);
  }
  process.stdout.write(helpOf(script));
  process.exit(0);
}

/** Ends the process. */
export function wrongUsage(script, message) {
  process.stderr.write(`${message}\n\n${helpOf(script)}`);
  process.exit(64);
}

/** The value of the flag of this name, a whole number from 1. */
export function countGiven(script, values, name) {
  if (!/^[1-9]\d{0,8}$/.test(values[name]))
    wrongUsage(script, `--${name} takes a number from 1, not "${values[name]}"`);
  return Number(values[name]);
}

function helpOf(script) {
  const lines = readFileSync(fileURLToPath(script), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return `${lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n")}\n`;
}
