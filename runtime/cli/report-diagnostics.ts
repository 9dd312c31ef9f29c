// Prints diagnostics of a recipe for people, and counts them.

import { counted } from "../../dsl/counted.ts";
import type { Diagnostic } from "../../dsl/diagnostic.ts";
import { renderDiagnostic } from "../../dsl/render-diagnostic.ts";
import { ANSI_PALETTE, PLAIN_PALETTE } from "../../dsl/palette.ts";
import { annotationOf, isOnGitHub } from "./github/workflow-commands.ts";
import { writeMessage } from "./terminal.ts";

/** `quiet` leaves warnings out. On GitHub each is an annotation, too. */
export function createDiagnosticPrinter(color: boolean, quiet: boolean): (diagnostic: Diagnostic) => void {
  const palette = color ? ANSI_PALETTE : PLAIN_PALETTE;
  return (diagnostic) => {
    if (quiet && diagnostic.severity === "warning") return;
    writeMessage(`${renderDiagnostic(diagnostic, palette)}\n`);
    if (isOnGitHub()) writeMessage(annotationOf(diagnostic));
  };
}

/** `2 errors, 1 warning`, or nothing when there is nothing to count. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const parts: string[] = [];
  for (const severity of ["error", "warning"] as const) {
    const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    if (count > 0) parts.push(counted(count, severity));
  }
  return parts.join(", ");
}
