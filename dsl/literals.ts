// Tokens of numbers, sizes and strings to their values.

import type { IToken } from "chevrotain";
import type { NumberExpression, SizeExpression, StringExpression } from "./ast.ts";
import type { Report } from "./diagnostic.ts";
import { endOf } from "./lexical-pass.ts";
import type { Source, Span } from "./source.ts";

interface LiteralContext {
  readonly source: Source;
  readonly report: Report;
}

export function numberLiteral(context: LiteralContext, token: IToken): NumberExpression {
  const value = Number.parseFloat(token.image);
  const span = spanOf(context, token);
  const vanished = value === 0 && /[1-9]/.test(token.image.split(/[eE]/)[0]!);
  const isHeld = Number.isFinite(value) && !vanished;
  if (!isHeld) {
    context.report({
      code: "number-out-of-range",
      severity: "error",
      message: `this number is too ${vanished ? "small" : "large"} for a float64`,
      span,
    });
  }
  return { kind: "number", span, value: isHeld ? value : NaN };
}

const UNITS: Readonly<Record<string, number>> = {
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

export function sizeLiteral(context: LiteralContext, token: IToken): SizeExpression {
  const span = spanOf(context, token);
  const unit = /[kKMGT]i?B$/.exec(token.image)![0];
  const bytes = Number.parseFloat(token.image) * UNITS[unit]!;
  if (!Number.isSafeInteger(bytes)) {
    const message = bytes > Number.MAX_SAFE_INTEGER ? "this size is too large" : "a size is a whole number of bytes";
    context.report({ code: "size-out-of-range", severity: "error", message, span });
  }
  return { kind: "size", span, bytes };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

export function stringLiteral(context: LiteralContext, token: IToken): StringExpression {
  return { kind: "string", span: spanOf(context, token), value: unescape(token.image) };
}

/** Up to the closing quote, or to the end of a string that never ends (which is reported already). */
function unescape(image: string): string {
  let value = "";
  let from = 1;
  for (let at = 1; at < image.length; at++) {
    const character = image.charAt(at);
    if (character === '"') return value + image.slice(from, at);
    if (character !== "\\") continue;
    const escaped = image.charAt(at + 1);
    value += image.slice(from, at) + (ESCAPES[escaped] ?? escaped);
    at++;
    from = at + 1;
  }
  return value + image.slice(from);
}

function spanOf({ source }: LiteralContext, token: IToken): Span {
  return { source, start: token.startOffset, end: endOf(token) };
}
