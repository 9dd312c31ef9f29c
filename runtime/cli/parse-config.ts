// Text of a settings file → the value in it. JSON and YAML only: a settings file that is a program could do anything, so
// one is refused, not run.

import { basename } from "node:path";
import { isObject, JsonReader, type JsonValue } from "../checkpoint/json-reader.ts";
import { SourceFailure } from "../checkpoint/problem.ts";
import { EXIT, Failure } from "../failure.ts";

type Loader = (path: string, text: string) => unknown;

export const PROGRAM_ENDS = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];
export const SETTINGS_HELP =
  "settings are an object of JSON or YAML with the keys store, threads, memory, device, color";

/** By the end of a file's name, as cosmiconfig wants them; each throws a Failure (78). */
export async function settingsLoaders(): Promise<Readonly<Record<string, Loader>>> {
  const { defaultLoadersSync } = (await import("cosmiconfig")).default;
  const yaml = noImports((path, text) => {
    try {
      return defaultLoadersSync[".yaml"](path, text) as unknown;
    } catch (error) {
      // "YAML Error in FILE:", what is wrong and where, a code frame
      throw broken(`${path}: ${(error as Error).message.split("\n")[1] ?? "it is not YAML"}`, error);
    }
  });
  const json = noImports(parseJsonSettings);
  return {
    ".json": json,
    ".yaml": yaml,
    ".yml": yaml,
    noExt: yaml,
    ...Object.fromEntries(PROGRAM_ENDS.map((end) => [end, refuseProgram])),
  };
}

function refuseProgram(path: string): never {
  throw new Failure(EXIT.config, `${path}: settings are JSON or YAML, not a program`, {
    code: "config-is-a-program",
    help: "write them to .thetarc.json or theta.config.json",
  });
}

function parseJsonSettings(path: string, text: string): unknown {
  const reader = new JsonReader(text.replace(/^\ufeff/, ""), path);
  try {
    const value = reader.readValue("the file");
    reader.end();
    return plain(value);
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    // npm takes what it likes in a package.json, such as a key twice.
    if (basename(path) === "package.json") return parseLeniently(text, error);
    throw broken(error.message, error);
  }
}

function parseLeniently(text: string, failure: SourceFailure): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken(failure.message, failure);
  }
}

function broken(message: string, cause: unknown): Failure {
  return new Failure(EXIT.config, message, { code: "config-unreadable", help: SETTINGS_HELP }, cause);
}

function plain(value: JsonValue): unknown {
  if (typeof value !== "object" || value === null) return value;
  return isObject(value)
    ? Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]))
    : value.map(plain);
}

/** cosmiconfig would follow `$import` to other files. */
function noImports(load: Loader): Loader {
  return (path, text) => {
    const value = load(path, text);
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, "$import")) return value;
    const facts = ["$import: no such setting"];
    throw new Failure(EXIT.config, `${path}: theta does not understand these settings`, {
      code: "config-invalid",
      facts,
      help: SETTINGS_HELP,
    });
  };
}
