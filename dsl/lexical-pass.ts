// Text to tokens that are all well formed: what the lexer could not read is reported here and replaced by what was
// probably meant, so that the statement around it still parses and no second error follows from the first.

import { createTokenInstance, Lexer, type IToken, type TokenType } from "chevrotain";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import type { Report } from "./diagnostic.ts";
import { printable } from "./printable.ts";
import type { Source } from "./source.ts";
import * as t from "./tokens.ts";

export interface LexicalResult {
  readonly tokens: readonly IToken[];
  /** Offsets of what was reported, ascending. */
  readonly faults: readonly number[];
}

let lexer: Lexer | undefined;

/** Built at the first use; `skipValidations` because a test builds one with the validations. */
function recipeLexer(): Lexer {
  lexer ??= new Lexer([...t.LEXER_TOKENS], {
    ensureOptimizations: true,
    positionTracking: "onlyOffset",
    skipValidations: true,
  });
  return lexer;
}

export function tokenize(source: Source, report: Report): LexicalResult {
  const hasMark = source.text.startsWith("\ufeff");
  // A blank in place of the byte order mark keeps the offsets.
  const { tokens } = recipeLexer().tokenize(hasMark ? ` ${source.text.slice(1)}` : source.text);
  const faults: number[] = [];
  const fault = (code: DiagnosticCode, message: string, start: number, end: number, help?: string): void => {
    faults.push(start);
    const span = { source, start, end };
    report({ code, severity: "error", message, span, ...(help === undefined ? {} : { help }) });
  };

  const repaired: IToken[] = [];
  // Quotes of another kind come in pairs; one of them is enough to say.
  let hasUnknown = false;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    const parts = hyphenatedName(tokens, at);
    if (parts > 0) {
      const end = endOf(tokens[at + parts - 1]!);
      const image = source.text.slice(token.startOffset, end);
      const help = `names have no hyphen; write ${image.replaceAll(/[-.]+/g, "_")}`;
      fault("hyphenated-name", `\`${image}\` is not a name`, token.startOffset, end, help);
      repaired.push(replaceToken(token, t.Name, image));
      at += parts - 1;
      continue;
    }
    switch (token.tokenType) {
      case t.Unknown:
        if (!hasUnknown) reportUnknownCharacters(token, fault);
        hasUnknown = true;
        break;
      case t.BrokenNumber:
        reportBrokenNumber(token, fault);
        repaired.push(meantNumber(token));
        break;
      case t.OpenString:
        fault(
          "unterminated-string",
          "this string never ends",
          token.startOffset,
          endOf(token),
          'a string ends with `"` on its own line',
        );
        splitOpenString(token, repaired);
        break;
      case t.StringLiteral:
        checkString(token, fault);
        repaired.push(token);
        break;
      case t.LineEnd:
        hasUnknown = false;
        repaired.push(token);
        break;
      default:
        repaired.push(token);
    }
  }
  return { tokens: repaired, faults };
}

type Fault = (code: DiagnosticCode, message: string, start: number, end: number, help?: string) => void;

export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

/** A token of another type at the place of `token`. */
export function replaceToken(token: IToken, type: TokenType, image: string, startOffset = token.startOffset): IToken {
  return createTokenInstance(type, image, startOffset, startOffset + image.length - 1, NaN, NaN, NaN, NaN);
}

// ------------------------------------------------------------------------------------------------------ characters

function reportUnknownCharacters(token: IToken, fault: Fault): void {
  const first = String.fromCodePoint(token.image.codePointAt(0)!);
  const what = `\`${printable(first)}\` (U+${first.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")})`;
  const help = HELP_FOR_CHARACTER[first];
  fault("unknown-character", `${what} has no meaning here`, token.startOffset, endOf(token), help);
}

const HELP_FOR_CHARACTER: Readonly<Record<string, string>> = {
  "'": 'strings stand in double quotes, "…"',
  "\u201c": 'strings stand in straight double quotes, "…"',
  "\u201d": 'strings stand in straight double quotes, "…"',
  "`": 'strings stand in double quotes, "…"',
  "\u00a0": "this is a no-break space; write a plain one",
  ";": "a statement ends at the end of its line",
  "%": "write the share, as in 0.6 for 60 %",
  "\\": "a line goes on inside brackets and behind a comma or an operator",
  "^": "masks are joined with `&` and `|`",
  "~": "`!` negates a mask",
  "\u2212": "write the ASCII `-`",
  "\r": "lines end with a line feed, or with a carriage return and a line feed",
};

// --------------------------------------------------------------------------------------------------------- numbers

function reportBrokenNumber(token: IToken, fault: Fault): void {
  const { image, startOffset } = token;
  fault("broken-number", `\`${printable(image)}\` is not a number`, startOffset, endOf(token), helpForNumber(image));
}

/** A size in other letters is no second mistake where a size belongs. */
function meantNumber(token: IToken): IToken {
  const size = meantSize(token.image);
  return size?.length === token.image.length
    ? replaceToken(token, t.SizeLiteral, size)
    : replaceToken(token, t.NumberLiteral, token.image);
}

/** "5GB" of "5gb" or "5G". */
function meantSize(image: string): string | undefined {
  const unit = /^(\d+(?:\.\d+)?)([kmgt]i?)b?$/i.exec(image);
  if (unit === null) return undefined;
  const prefix = unit[2]!.charAt(0).toUpperCase();
  const binary = unit[2]!.length > 1;
  return `${unit[1]!}${prefix === "K" && !binary ? "k" : prefix}${binary ? "i" : ""}B`;
}

function helpForNumber(image: string): string {
  const size = meantSize(image);
  if (size !== undefined) return `a size is written ${size}`;
  if (/^\d+(\.\d+)?B$/.test(image)) return "a size is written in kB, MB, GB, TB, KiB, MiB, GiB or TiB";
  if (image.endsWith(".")) return "a number has digits on both sides of the point, as in 0.5";
  if (/^\d+[A-Za-z_]/.test(image)) {
    return "no letter stands directly behind a number, and a name does not begin with a digit";
  }
  return "a number is written 3, 0.5 or 2e-5, a size 5GB or 5GiB";
}

// --------------------------------------------------------------------------------------------------------- strings

/** Closing brackets, commas and a brace at the end of a string that never ends were hardly meant as part of it. */
function splitOpenString(token: IToken, parts: IToken[]): void {
  const { image, startOffset } = token;
  let end = image.length;
  while (end > 1 && " \t)],{".includes(image.charAt(end - 1))) end--;
  parts.push(replaceToken(token, t.StringLiteral, image.slice(0, end)));
  for (let at = end; at < image.length; at++) {
    const type = TAIL_TOKENS[image.charAt(at)];
    if (type) parts.push(replaceToken(token, type, image.charAt(at), startOffset + at));
  }
}

const TAIL_TOKENS: Readonly<Record<string, TokenType>> = { ")": t.RParen, "]": t.RSquare, ",": t.Comma, "{": t.LCurly };

/** What regular expressions escape, and paths do not. */
function isOfRegularExpression(escape: string): boolean {
  return ".+*[]()^$".includes(escape);
}

function checkString(token: IToken, fault: Fault): void {
  const { image, startOffset } = token;
  for (let at = image.indexOf("\\"); at !== -1; at = image.indexOf("\\", at + 2)) {
    const escape = String.fromCodePoint(image.codePointAt(at + 1)!);
    if (!'"\\nt'.includes(escape)) {
      const start = startOffset + at;
      const help = isOfRegularExpression(escape)
        ? "a glob is no regular expression: `.` stands for itself, `*` for any characters"
        : 'the escapes are \\" \\\\ \\n and \\t; paths use `/`';
      fault("unknown-escape", `\`\\${printable(escape)}\` is no escape`, start, start + 1 + escape.length, help);
    }
  }
  for (let at = 1; at < image.length; at++) {
    const unit = image.charCodeAt(at);
    if ((unit < 0x20 && unit !== 0x09) || unit === 0x7f) {
      fault(
        "control-character",
        `a string may not contain ${printable(image.charAt(at))}`,
        startOffset + at,
        startOffset + at + 1,
      );
      return;
    }
  }
}

// ----------------------------------------------------------------------------------------------------------- names

/**
 * How many tokens a hyphenated name at `at` consists of; 0 when there is none. Only where nothing but a name may
 * stand, and a subtraction never does: behind the word of a declaration at the beginning of a line, and behind `as`.
 * Elsewhere `a-b` is a subtraction; `a-3b` could not be, so that is a name too.
 */
function hyphenatedName(tokens: readonly IToken[], at: number): number {
  const hyphen = tokens[at + 1];
  if (!isName(tokens[at]) || hyphen?.tokenType !== t.Minus || !touches(tokens[at]!, hyphen)) return 0;
  const behind = tokens[at + 2];
  const isNumberWithLetters = behind?.tokenType === t.BrokenNumber && touches(hyphen, behind);
  if (!isNumberWithLetters && !isDeclarationWord(tokens, at - 1)) return 0;
  let count = 2;
  for (let next = tokens[at + 2]; next && touches(tokens[at + count - 1]!, next); next = tokens[at + count]) {
    if (!isPartOfHyphenated(next)) break;
    count++;
  }
  return count;
}

function isDeclarationWord(tokens: readonly IToken[], at: number): boolean {
  const word = tokens[at];
  if (!word) return false;
  const before = tokens[at - 1];
  if (word.tokenType === t.As) return before?.tokenType === t.StringLiteral;
  return t.DECLARATIONS.includes(word.tokenType) && (before === undefined || before.tokenType === t.LineEnd);
}

export function isName(token: IToken | undefined): boolean {
  if (!token) return false;
  return token.tokenType === t.Name || (token.tokenType.CATEGORIES?.includes(t.Name) ?? false);
}

function isPartOfHyphenated(token: IToken): boolean {
  const type = token.tokenType;
  return type === t.Minus || type === t.Dot || type === t.NumberLiteral || type === t.BrokenNumber || isName(token);
}

function touches(left: IToken, right: IToken): boolean {
  return endOf(left) === right.startOffset;
}
