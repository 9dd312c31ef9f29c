// An action as a build's record keeps it: what its key is made of, with the names that people gave. Two of them can be
// compared long after the recipe and the inputs are gone.

import { OPERATION_REVISION } from "../../compiler/operation-revision.ts";
import type { TensorInfo } from "../../compiler/checkpoint.ts";
import type { Action, Operation, TensorCuts } from "../../compiler/tensor-graph.ts";

/** What JSON holds; 64-bit streams stand as hex text. */
export type Setting = string | number | boolean | null | readonly Setting[];

export interface DescribedOperation {
  readonly op: string;
  readonly revision: number;
  /** Every other field of the operation, by its name in the tensor graph. */
  readonly settings: Readonly<Record<string, Setting>>;
}

export interface DescribedInput {
  /** As in the recipe: "maths". */
  readonly role: string;
  /** Its name in the checkpoint. */
  readonly tensor: string;
  readonly file: string;
  /** Of the payload; absent while nobody knows it. */
  readonly digest?: string;
}

export interface DescribedAction {
  /** Of the result. */
  readonly dtype: string;
  readonly operations: readonly DescribedOperation[];
  /** In the order in which the program names them. */
  readonly inputs: readonly DescribedInput[];
}

export function describeAction(
  { dtype, inputs, program }: Action,
  digest: (tensor: TensorInfo) => string | undefined,
): DescribedAction {
  return {
    dtype,
    operations: program.operations.map(describeOperation),
    inputs: inputs.map(({ role, tensor }) => {
      const known = digest(tensor);
      return { role, tensor: tensor.name, file: tensor.file, ...(known !== undefined && { digest: known }) };
    }),
  };
}

function describeOperation(operation: Operation): DescribedOperation {
  const { op, ...fields } = operation;
  const settings: Record<string, Setting> = {};
  for (const [name, value] of Object.entries<Setting | bigint | TensorCuts>(fields)) {
    settings[name] = settingOf(value);
  }
  return { op, revision: OPERATION_REVISION[op], settings };
}

function settingOf(value: Setting | bigint | TensorCuts): Setting {
  if (typeof value === "bigint") return value.toString(16).padStart(16, "0");
  if (value === null || typeof value !== "object" || !("outer" in value)) return value;
  const { outer, inner } = value;
  return [outer, inner].map(({ key, tie }) => `${key.toString(16)}/${tie.toString(16)}`).join(" to ");
}
