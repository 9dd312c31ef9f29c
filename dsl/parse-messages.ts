// The parser's errors in our words. Chevrotain says which token it wanted where; here that becomes a code, a sentence
// and, when it is clear what was meant, what to write instead.

import {
  EOF,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from "chevrotain";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { didYouMean } from "./did-you-mean.ts";
import { printable } from "./printable.ts";
import { shortened } from "./shortened.ts";
import type { Source } from "./source.ts";
import * as t from "./tokens.ts";

interface Explanation {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help?: string;
}

/** An exception carries one string, so the parts of an explanation are its lines. */
function encode({ code, message, help }: Explanation): string {
  return [code, message, ...(help === undefined ? [] : [help])].join("\n");
}

export const messageProvider: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual, previous, ruleName }) =>
    encode(explainMismatch(expected, actual, previous, ruleName)),
  buildNoViableAltMessage: ({ actual, previous, ruleName }) =>
    encode(explainNoAlternative(actual[0] ?? previous, previous, ruleName)),
  buildNotAllInputParsedMessage: ({ firstRedundant, ruleName }) => encode(explainRest(firstRedundant, ruleName)),
  buildEarlyExitMessage: ({ actual, previous }) =>
    encode(expected("a clause such as `weight 0.5`", actual[0] ?? previous, previous)),
};

/** What the parser said about the line whose last token ends at `lineEnd`. */
export function syntaxDiagnostic(source: Source, error: IRecognitionException, lineEnd: number): Diagnostic {
  const [code, message, help] = error.message.split("\n");
  const { token } = error;
  const isEnd = token.tokenType === EOF;
  const start = isEnd ? lineEnd : token.startOffset;
  // Of a block only the brace is underlined.
  const length = token.tokenType === t.Block ? 1 : token.image.length;
  return {
    // `encode` was given an Explanation.
    code: code as DiagnosticCode,
    severity: "error",
    message: message!,
    span: { source, start, end: isEnd ? lineEnd : start + length },
    ...(help === undefined ? {} : { help }),
  };
}

// ------------------------------------------------------------------------------------------------------ mismatches

function explainMismatch(wanted: TokenType, actual: IToken, previous: IToken, rule: string): Explanation {
  if (wanted === t.Name && isReserved(actual)) return reservedWord(actual);
  if (wanted === t.RParen || wanted === t.RSquare) return explainMissingClose(wanted, actual, previous, rule);
  return expected(WANTED_BY_RULE[rule]?.get(wanted) ?? describeType(wanted), actual, previous);
}

function explainMissingClose(wanted: TokenType, actual: IToken, previous: IToken, rule: string): Explanation {
  const isOpen = previous.tokenType === t.LParen || previous.tokenType === t.LSquare;
  const close = describeType(wanted);
  if (isOpen || previous.tokenType === t.Comma) {
    return isReserved(actual) ? reservedWord(actual) : expected(`a value or ${close}`, actual, previous);
  }
  if (rule !== "parenthesized" && beginsOperand(actual)) {
    return {
      code: "missing-comma",
      message: `expected a comma or ${close} behind ${describe(previous)}, found ${describe(actual)}`,
    };
  }
  if (rule === "parenthesized" && actual.tokenType === t.Comma) {
    return expected(close, actual, previous, "a list stands in `[ ]`");
  }
  return expected(rule === "parenthesized" ? `an operator or ${close}` : `a comma or ${close}`, actual, previous);
}

/** Where more than the one token that the parser asked for could have stood. */
const WANTED_BY_RULE: Readonly<Record<string, ReadonlyMap<TokenType, string>>> = {
  mergeBlock: new Map([[t.Block, "`using STRATEGY {` or `{`"]]),
  adapterStatement: new Map([[t.On, "`on BASE`"]]),
  importStatement: new Map([
    [t.As, "`as NAME`"],
    [t.StringLiteral, "the path of a recipe as a string"],
  ]),
  paramStatement: new Map([[t.Colon, "`:` and the kind of the parameter"]]),
  versionHeader: new Map([[t.NumberLiteral, "the version, as in `theta 1`,"]]),
  settingLine: new Map([[t.Name, "a setting such as `dtype bf16`"]]),
  clause: new Map([[t.Name, "a clause such as `weight 0.5`"]]),
};

// ---------------------------------------------------------------------------------------------------- alternatives

function explainNoAlternative(actual: IToken, previous: IToken, rule: string): Explanation {
  switch (rule) {
    case "statementLine":
      return explainUnknownStatement(actual);
    case "mergeLine":
      if (actual.tokenType === t.Keep) {
        return { ...reservedWord(actual), help: "`keep MODEL` stands behind `at SELECTOR`" };
      }
      return expected("an entry, `each` or `at`", actual, previous);
    case "mergeStatement":
      return expected("`=`, `onto`, `using` or `{`", actual, previous);
    case "atBlock":
      return expected("`keep MODEL` or `{ … }`", actual, previous);
    default:
      return isReserved(actual)
        ? reservedWord(actual)
        : expected("a value", actual, previous, helpForOperand(actual, previous));
  }
}

const SIDE_BY_SIDE = "write the name and the value side by side, as in `weight 0.5`";

function helpForOperand(actual: IToken, previous: IToken): string | undefined {
  switch (actual.tokenType) {
    case t.Dot:
      return "a number has digits on both sides of the point, as in 0.5";
    case t.Plus:
      return "there is no sign `+`, only `-`";
    case t.Colon:
    case t.Equals:
      return previous.tokenType === t.Name ? SIDE_BY_SIDE : undefined;
    default:
      return undefined;
  }
}

function explainUnknownStatement(actual: IToken): Explanation {
  const code = "unknown-statement";
  if (isReserved(actual)) {
    const help =
      actual.tokenType === t.True || actual.tokenType === t.False
        ? undefined
        : `\`${actual.image}\` stands inside the \`{ }\` of a merge`;
    return { code, message: `no statement begins with ${describe(actual)}`, ...(help === undefined ? {} : { help }) };
  }
  const near = didYouMean(
    actual.image,
    t.STATEMENT_WORDS.map((word) => word.name.toLowerCase()),
  );
  return {
    code,
    message: `no statement begins with ${describe(actual)}`,
    help:
      near === undefined
        ? "a statement begins with import, param, base, model, models, adapter, vector, mask, strategy, merge, expect or output"
        : `did you mean \`${near}\`?`,
  };
}

// ------------------------------------------------------------------------------------------------------------ rest

/** The line was complete before `token`. */
function explainRest(token: IToken, rule: string): Explanation {
  const code = "unexpected-token";
  const message = `${describe(token)} does not belong here`;
  switch (token.tokenType) {
    case t.DotDot:
      return { code, message, help: "a range A..B stands only among the arguments of a call" };
    case t.Comparison:
    case t.Less:
    case t.LessEqual:
    case t.Greater:
    case t.GreaterEqual:
      return { code, message, help: "comparisons stand only in the `{ }` of `expect`" };
    case t.Keep:
      return { code, message, help: "`keep MODEL` stands behind `at SELECTOR`" };
    case t.Block:
      return { code, message, help: "this takes no `{ }`" };
    case t.Comma:
      return rule === "mergeLine"
        ? { code, message, help: "every entry stands on a line of its own" }
        : { code, message, help: "commas separate only arguments, list elements and the selectors behind `at`" };
    case t.Equals:
    case t.Colon:
      if (rule === "statementLine") return { code, message };
      return { code, message, help: rule === "predicateLine" ? "compare with `<`, `<=`, `>` or `>=`" : SIDE_BY_SIDE };
    default:
      return { code, message, help: `${RULE_IN_WORDS[rule] ?? "a line"} ends at the end of its line` };
  }
}

const RULE_IN_WORDS: Readonly<Record<string, string>> = {
  statementLine: "a statement",
  mergeLine: "an entry",
  predicateLine: "a predicate",
  settingLine: "a setting",
};

// ----------------------------------------------------------------------------------------------------------- words

function expected(what: string, actual: IToken, previous: IToken, help?: string): Explanation {
  const behind = isNowhere(previous) ? "" : ` behind ${describe(previous)}`;
  return {
    code: what === "a value" ? "expected-value" : "expected-token",
    message: `expected ${what}${behind}, found ${describe(actual)}`,
    ...(help === undefined ? {} : { help }),
  };
}

function reservedWord(token: IToken): Explanation {
  return { code: "reserved-word", message: `\`${token.image}\` is a reserved word and never a name` };
}

function isReserved(token: IToken): boolean {
  return token.tokenType.CATEGORIES?.includes(t.Reserved) ?? false;
}

function isNowhere(token: IToken): boolean {
  return token.tokenType === EOF || Number.isNaN(token.startOffset);
}

function beginsOperand(token: IToken): boolean {
  const type = token.tokenType;
  const isWord = type === t.Name || (type.CATEGORIES?.includes(t.Name) ?? false);
  return isWord || OPERAND_STARTS.includes(type);
}

const OPERAND_STARTS: readonly TokenType[] = [
  ...[t.NumberLiteral, t.SizeLiteral, t.StringLiteral, t.True, t.False, t.LParen, t.LSquare, t.Else, t.Not],
];

function describeType(type: TokenType): string {
  switch (type) {
    case t.Name:
      return "a name";
    case t.StringLiteral:
      return "a string";
    case t.NumberLiteral:
      return "a number";
    default:
      return type.LABEL ?? `\`${type.name.toLowerCase()}\``;
  }
}

/** Long tokens are cut: a message is one line. */
function describe(token: IToken): string {
  if (token.tokenType === EOF) return "the end of the line";
  if (token.tokenType === t.Block) return "`{`";
  // A bracket that logical-lines.ts added.
  if (token.image === "") return "the end of the line";
  const image = shortened(token.image, 40);
  return token.tokenType === t.StringLiteral ? printable(image) : `\`${printable(image)}\``;
}
