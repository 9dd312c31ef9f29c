// Declarations that nothing mentions. A name that begins with `_` may stay unused.

import type { Report } from "../../../dsl/diagnostic.ts";
import type { DeclaringStatement } from "../names.ts";

export function warnOfUnused(
  declarations: ReadonlyMap<string, DeclaringStatement>,
  mentioned: ReadonlySet<string>,
  report: Report,
): void {
  for (const [name, statement] of declarations) {
    if (mentioned.has(name) || name.startsWith("_")) continue;
    report({
      code: "unused",
      severity: "warning",
      message: `nothing uses ${name}`,
      span: statement.name.span,
      help: statement.kind === "merge" ? `write output "dist/${name}" = ${name}` : `remove it, or call it _${name}`,
    });
  }
}
