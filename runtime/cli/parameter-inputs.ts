// Values for the recipe's parameters as they were typed: `-p NAME=VALUE` and `--params FILE`. What they mean is the
// compiler's business; here is only where each name and each value stands.

import { dirname, resolve } from "node:path";
import type { ParameterInput } from "../../compiler/analyse.ts";
import { decodeSource } from "../../dsl/decode.ts";
import { printable } from "../../dsl/printable.ts";
import type { Source, Span } from "../../dsl/source.ts";
import { JsonReader } from "../checkpoint/json-reader.ts";
import { SourceFailure } from "../checkpoint/problem.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Flags } from "./invocation.ts";
import { readNamedFile } from "./read-file.ts";

/**
 * By name; `-p` beats `--params`, a later `-p` an earlier one.
 * @throws Failure: 64 an argument is not NAME=VALUE, 66 the file cannot be read or is not one JSON object
 */
export function readParameterInputs({ params, param }: Flags): ReadonlyMap<string, ParameterInput> {
  const inputs = new Map<string, ParameterInput>();
  if (params !== undefined) readFile(params, inputs);
  for (const text of param) {
    const equals = text.indexOf("=");
    if (equals <= 0) {
      throw new Failure(EXIT.usage, `-p ${JSON.stringify(text)} is not NAME=VALUE`, {
        code: "bad-parameter",
        help: "write for example -p maths_weight=0.4",
      });
    }
    const source: Source = { path: "-p", directory: process.cwd(), text, isArgument: true };
    const name: Span = { source, start: 0, end: equals };
    const value: Span = { source, start: equals + 1, end: text.length };
    inputs.set(text.slice(0, equals), { from: "flag", name, value });
  }
  return inputs;
}

function readFile(path: string, inputs: Map<string, ParameterInput>): void {
  const absolute = resolve(path);
  const bytes = readNamedFile({ path: absolute, display: `--params ${printable(path)}` }, new Map());
  const { source, diagnostics } = decodeSource(bytes, path, dirname(absolute));
  if (source === undefined) throw badFile(`--params ${path}: ${diagnostics[0]!.message}`);
  const reader = new JsonReader(source.text, `--params ${path}`);
  try {
    reader.readObject("the file", (key, nameStart, nameEnd) => {
      const start = reader.position;
      const json = reader.readValue(key);
      const name: Span = { source, start: nameStart, end: nameEnd };
      inputs.set(key, { from: "file", name, value: { source, start, end: reader.offset }, json });
    });
    reader.end();
  } catch (error) {
    if (error instanceof SourceFailure) throw badFile(error.message, error);
    throw error;
  }
}

function badFile(message: string, cause?: unknown): Failure {
  const details = {
    code: "bad-parameter-file",
    help: 'the file holds one JSON object, such as {"maths_weight": 0.4}',
  } as const;
  return new Failure(EXIT.input, message, details, cause);
}
