// Diagnostics found tensor by tensor: the first of a kind is told in full, the rest are counted.

import type { DiagnosticCode } from "../../dsl/diagnostic-codes.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";

/** Lives as long as one lowering; `about` is what tells two kinds of one code apart, such as the node. */
export class TensorProblems {
  readonly #found = new Map<string, Map<object, { readonly first: Diagnostic; more: number }>>();
  #errors = 0;

  /** How many errors were added, the counted ones included. */
  get errors(): number {
    return this.#errors;
  }

  /** `tell` is called for the first of its kind only. */
  add(code: DiagnosticCode, about: object, tell: () => Omit<Diagnostic, "code" | "severity">): void {
    this.#errors++;
    const ofCode = this.#found.get(code) ?? new Map<object, { first: Diagnostic; more: number }>();
    this.#found.set(code, ofCode);
    const known = ofCode.get(about);
    if (known === undefined) ofCode.set(about, { first: { code, severity: "error", ...tell() }, more: 0 });
    else known.more++;
  }

  /** In the order in which kinds were first met. */
  diagnostics(): Diagnostic[] {
    return [...this.#found.values()].flatMap((ofCode) =>
      [...ofCode.values()].map(({ first, more }) =>
        more === 0 ? first : { ...first, notes: [...(first.notes ?? []), { message: moreTensors(more) }] },
      ),
    );
  }
}

function moreTensors(count: number): string {
  return count === 1 ? "and 1 more tensor" : `and ${count} more tensors`;
}
