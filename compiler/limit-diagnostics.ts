// A recipe with more mistakes than anyone reads is told the first of them, and how many are left.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import { MAX_DIAGNOSTICS } from "../dsl/limits.ts";
import type { Source } from "../dsl/source.ts";

/** `source` is where the rest is counted. */
export function limitDiagnostics(diagnostics: readonly Diagnostic[], source: Source): readonly Diagnostic[] {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  const left = Math.max(errors.length - MAX_DIAGNOSTICS, 0);
  if (left === 0 && warnings.length <= MAX_DIAGNOSTICS) return diagnostics;
  const shown = new Set([...errors.slice(0, MAX_DIAGNOSTICS), ...warnings.slice(0, MAX_DIAGNOSTICS)]);
  const message = `${diagnostics.length - shown.size} more diagnostics are not shown`;
  const severity = left > 0 ? "error" : "warning";
  return [...diagnostics.filter((one) => shown.has(one)), { code: "too-many-errors", severity, message, source }];
}
