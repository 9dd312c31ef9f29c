// The rules of the header `theta 1`: there is exactly one, it comes first, and this program can read that version.

import type { Statement, VersionHeader } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Source } from "./source.ts";

/** Rises only when a recipe that is accepted today would change its meaning. */
export const LANGUAGE_VERSION = 1;

interface VersionCheck {
  readonly version?: VersionHeader;
  readonly diagnostics: readonly Diagnostic[];
  /** The file is in another language: nothing else that was found in it is worth a word. */
  readonly isFatal: boolean;
}

/** `hasBroken`: there is a header that could not be parsed and was reported. */
export function checkVersion(
  source: Source,
  statements: readonly (Statement | VersionHeader)[],
  hasBroken: boolean,
): VersionCheck {
  const [version, ...others] = statements.filter((statement) => statement.kind === "version");
  if (!version) return hasBroken ? { diagnostics: [], isFatal: false } : missing(source);

  const wrong = checkNumber(version);
  if (wrong) return { version, diagnostics: [wrong], isFatal: wrong.code === "version-too-new" };

  const diagnostics: Diagnostic[] = others.map((other) => ({
    code: "version-repeated",
    severity: "error",
    message: "the version stands once in a file",
    span: other.span,
    notes: [{ message: "first stated here", span: version.span }],
  }));
  if (statements[0] !== version) {
    diagnostics.push({
      code: "version-not-first",
      severity: "error",
      message: "the version is the first statement of a file",
      span: version.span,
    });
  }
  return { version, diagnostics, isFatal: false };
}

function missing(source: Source): VersionCheck {
  const span = { source, start: 0, end: 0 };
  const isMergekit = /^merge_method[ \t]*:/m.test(source.text);
  const way = isMergekit
    ? { help: 'this is a configuration of mergekit; METHODS.md, "Coming from mergekit", has its methods as recipes' }
    : {
        help: `write \`theta ${LANGUAGE_VERSION}\` on the first line`,
        edit: { span, text: `theta ${LANGUAGE_VERSION}\n\n` },
      };
  const diagnostic: Diagnostic = {
    code: "version-missing",
    severity: "error",
    message: "a recipe begins with the version of the language",
    span,
    ...way,
  };
  return { diagnostics: [diagnostic], isFatal: isMergekit };
}

function checkNumber({ version, span }: VersionHeader): Diagnostic | undefined {
  if (!Number.isInteger(version) || version < 1) {
    return {
      code: "version-unknown",
      severity: "error",
      message: "versions of the language are the whole numbers from 1",
      span,
      help: `write \`theta ${LANGUAGE_VERSION}\``,
    };
  }
  if (version <= LANGUAGE_VERSION) return undefined;
  return {
    code: "version-too-new",
    severity: "error",
    message: `this recipe is in version ${version} of the language, and this program reads up to version ${LANGUAGE_VERSION}`,
    span,
    help: "install a newer theta",
  };
}
