// The method table: every method, mask, selector and function that a recipe may call.

import type { MethodRow, Parameter, PerInputParameter } from "./method-row.ts";
import { FUNCTIONS } from "./functions.ts";
import { MASKS } from "./masks-and-selectors.ts";
import { MODEL_METHODS } from "./on-models.ts";
import { VECTOR_METHODS } from "./on-vectors.ts";

/** By name, in the order of the reference. */
export const METHODS: ReadonlyMap<string, MethodRow> = new Map(
  [...VECTOR_METHODS, ...MODEL_METHODS, ...MASKS, ...FUNCTIONS].map((row) => [row.name, row]),
);

/** The first mask that must be given the parameter, as its example writes it: `magnitude(density: 0.2)`. */
export function maskWith(parameter: string): string | undefined {
  const row = MASKS.find(({ parameters }) => parameters.some((own) => own.name === parameter && isRequired(own)));
  return row === undefined ? undefined : maskExample(row);
}

/** A mask as its example writes it. */
export function maskExample({ example }: MethodRow): string {
  return example.slice(example.indexOf("= ") + 2);
}

function isRequired(parameter: Parameter): boolean {
  return parameter.kind !== "vector" && !("default" in parameter) && !("optional" in parameter);
}

export function parameterOf(row: MethodRow, name: string): Parameter | undefined {
  return row.parameters.find((parameter) => parameter.name === name);
}

/** Parameters that a clause of an entry, or a list in a call, gives for each input. */
export function perInputParameters(row: MethodRow): readonly PerInputParameter[] {
  return row.parameters.filter(isPerInput);
}

export function isPerInput(parameter: Parameter): parameter is PerInputParameter {
  return "perInput" in parameter;
}

/** Those that every one of the methods has: where a strategy differs by tensor, none may ignore what is stated. */
export function commonPerInputParameters([first, ...others]: readonly MethodRow[]): readonly PerInputParameter[] {
  if (first === undefined) return [];
  return perInputParameters(first).filter(({ name }) =>
    others.every((row) => perInputParameters(row).some((parameter) => parameter.name === name)),
  );
}
