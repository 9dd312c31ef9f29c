// Diagnostics found tensor by tensor: the first of a kind is told in full, the other tensors that it is true of are counted.

import { counted } from "../../dsl/counted.ts";
import type { DiagnosticCode } from "../../dsl/diagnostic-codes.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";

interface Kind {
  readonly first: Diagnostic;
  readonly tensors: Set<string>;
}

/** Lives as long as one lowering; `about` is what tells two kinds of one code apart, such as the node. */
export class TensorProblems {
  readonly #found = new Map<string, Map<object, Kind>>();
  #errors = 0;
  #tensor = "";

  /** What is added from here on is of this tensor. */
  begin(tensor: string): void {
    this.#tensor = tensor;
  }

  /** How many errors were added, the counted ones included. */
  get errors(): number {
    return this.#errors;
  }

  /** `tell` is called for the first of its kind only. */
  add(code: DiagnosticCode, about: object, tell: () => Omit<Diagnostic, "code" | "severity">): void {
    this.#errors++;
    const ofCode = this.#found.get(code) ?? new Map<object, Kind>();
    this.#found.set(code, ofCode);
    const known = ofCode.get(about);
    if (known !== undefined) known.tensors.add(this.#tensor);
    else ofCode.set(about, { first: { code, severity: "error", ...tell() }, tensors: new Set([this.#tensor]) });
  }

  /** In the order in which kinds were first met. */
  diagnostics(): Diagnostic[] {
    return [...this.#found.values()].flatMap((ofCode) =>
      [...ofCode.values()].map(({ first, tensors }) =>
        tensors.size === 1
          ? first
          : { ...first, notes: [...(first.notes ?? []), { message: moreTensors(tensors.size - 1) }] },
      ),
    );
  }
}

function moreTensors(count: number): string {
  return `and ${counted(count, "more tensor")}`;
}
