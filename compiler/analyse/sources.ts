// Where models, adapters and stored vectors come from: paths, `models` lists, and the exceptions of a declaration.

import { isAbsolute, relative, resolve } from "node:path";
import type { Expression, ModelsStatement, Setting } from "../../dsl/ast.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import { shortened } from "../../dsl/shortened.ts";
import type { Span } from "../../dsl/source.ts";
import type { CompilerHost } from "../checkpoint.ts";
import { parseGlob } from "../glob.ts";
import { evaluate } from "./evaluate.ts";
import type { StringResult } from "./kinds.ts";
import { SETTINGS_ELSEWHERE } from "../methods/names-elsewhere.ts";
import type { Scope } from "./names.ts";
import { takeConstantWord } from "./parameter-values.ts";
import type { CheckpointNode, Exceptions } from "../recipe-graph.ts";
import { SOURCE_SETTINGS } from "../settings.ts";
import { takesInstead } from "./wrong-kind.ts";

interface LocalPath {
  /** Absolute. */
  readonly path: string;
  /** As the recipe spells it. */
  readonly display: string;
}

/** A path on this machine, from a string or the name of a string parameter; undefined when it was reported. */
export function takePath(what: string, expression: Expression, scope: Scope): LocalPath | undefined {
  const result = evaluate(expression, scope);
  if (result.kind === "poison") return undefined;
  if (result.kind !== "string") {
    scope.report(takesInstead(what, 'a path in " "', result, expression.span));
    return undefined;
  }
  return localPath(result, expression.span, scope);
}

/** PATH_MAX of Linux. */
const LONGEST_PATH = 4096;

function localPath({ text, directory }: StringResult, span: Span, scope: Scope): LocalPath | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme !== undefined) {
    scope.report({
      code: "not-served",
      severity: "error",
      message: `${scheme}:// sources are known to theta but not served yet; download the files and name their directory`,
      span,
    });
    return undefined;
  }
  const problem =
    text === ""
      ? "the path is empty"
      : text.includes("\0")
        ? "a path cannot contain a NUL character"
        : text.length > LONGEST_PATH
          ? `a path has at most ${LONGEST_PATH} characters, not ${text.length}`
          : undefined;
  if (problem !== undefined) {
    scope.report({ code: "bad-path", severity: "error", message: problem, span });
    return undefined;
  }
  return { path: resolve(directory, text), display: text };
}

export function refuseRevision(revision: Expression | undefined, scope: Scope): boolean {
  if (revision === undefined) return false;
  const result = evaluate(revision, scope);
  if (result.kind !== "string" && result.kind !== "poison") {
    scope.report(takesInstead("a revision", 'a string in " "', result, revision.span));
  } else if (result.kind === "string") {
    scope.report({
      code: "not-served",
      severity: "error",
      message: "revisions are known to theta but not served yet; check the revision out and name its directory",
      span: revision.span,
    });
  }
  return true;
}

/** The members of `models runs = …`; undefined when something was reported. */
export function listMembers(
  { name, source, span, exceptions }: ModelsStatement,
  host: CompilerHost,
  scope: Scope,
): readonly CheckpointNode[] | undefined {
  const allowed = readExceptions(exceptions, scope);
  const result = evaluate(source, scope);
  let paths: LocalPath[];
  if (result.kind === "string") {
    const pattern = localPath(result, source.span, scope);
    if (pattern === undefined || !areGlobs(result.text, source.span, scope)) return undefined;
    paths = host.listSources(pattern.path, result.directory).map((path) => ({
      path,
      display: isAbsolute(result.text) ? path : relative(result.directory, path),
    }));
  } else if (result.kind === "list") {
    const members = result.elements.map((element) => {
      if (element.value.kind === "string") return localPath(element.value, element.span, scope);
      if (element.value.kind !== "poison") scope.report(takesInstead("models", "paths", element.value, element.span));
      return undefined;
    });
    paths = members.filter((member) => member !== undefined);
    if (paths.length < members.length) return undefined;
  } else {
    if (result.kind !== "poison") {
      scope.report(
        takesInstead("models", 'a list of paths, or a pattern such as "runs/*/final",', result, source.span),
      );
    }
    return undefined;
  }
  if (paths.length === 0) {
    scope.report({
      code: "empty-list",
      severity: "error",
      message: result.kind === "list" ? `${name.text} has no members` : `nothing matches ${shortened(result.text)}`,
      span: source.span,
    });
    return undefined;
  }
  if (allowed === undefined) return undefined;
  return paths.map(({ path, display }, index) => ({
    kind: "checkpoint",
    name: `${scope.prefix}${name.text}[${index}]`,
    path,
    display,
    exceptions: allowed,
    span,
  }));
}

/** Each part of the path is a glob of its own. */
function areGlobs(pattern: string, span: Span, scope: Scope): boolean {
  for (const part of pattern.split("/")) {
    const glob = parseGlob(part);
    if (!("problem" in glob)) continue;
    const message = `"${shortened(part)}" is no glob: ${glob.problem}`;
    scope.report({ code: "bad-glob", severity: "error", message, span });
    return false;
  }
  return true;
}

/** `{ missing base ⏎ nan zero }`; undefined when something was reported. */
export function readExceptions(settings: readonly Setting[], scope: Scope): Exceptions | undefined {
  const exceptions = new Map<string, string>();
  let isSound = true;
  for (const setting of settings) {
    const { name, value } = setting;
    const known = Object.entries(SOURCE_SETTINGS).find(([each]) => each === name.text)?.[1];
    if (known === undefined) {
      reportUnknownSetting(name.text, name.span, Object.keys(SOURCE_SETTINGS), scope);
      isSound = false;
      continue;
    }
    if (exceptions.has(name.text)) {
      reportSettingTwice(name.text, name.span, scope);
      isSound = false;
      continue;
    }
    const word = takeConstantWord(name.text, Object.keys(known.words), value, scope);
    if (word === undefined) isSound = false;
    else exceptions.set(name.text, word);
  }
  return isSound ? Object.fromEntries(exceptions) : undefined;
}

export function reportUnknownSetting(name: string, span: Span, known: readonly string[], scope: Scope): void {
  // What mergekit says of the merge belongs to an output.
  const here = known.includes("dtype") ? SETTINGS_ELSEWHERE.get(name) : undefined;
  const near = here === undefined ? didYouMean(name, known) : undefined;
  scope.report({
    code: "unknown-setting",
    severity: "error",
    message: `no setting is named ${name}`,
    span,
    help: here ?? (near === undefined ? `settings here are ${known.join(", ")}` : `did you mean ${near}?`),
    ...(near === undefined ? {} : { edit: { span, text: near } }),
  });
}

export function reportSettingTwice(name: string, span: Span, scope: Scope): void {
  scope.report({ code: "duplicate-setting", severity: "error", message: `${name} is set twice`, span });
}
