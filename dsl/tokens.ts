// The token types, and why in this order: the lexer takes the first pattern that matches, so a keyword stands before
// `Name`, a longer operator before a shorter one, and a well-formed literal before the pattern that catches broken ones.
// Most words are words only by position: they carry the category `Name`, so a model may be called `mask` or `weight`.

import { createToken, Lexer, type TokenType } from "chevrotain";

// ------------------------------------------------------------------------------------------------------ categories

/** What joins two operands; a line may end behind one and never begins with one, `-` excepted. */
export const BinaryOperator = createToken({ name: "BinaryOperator", pattern: Lexer.NA });
export const PrefixOperator = createToken({ name: "PrefixOperator", pattern: Lexer.NA });
export const Comparison = createToken({ name: "Comparison", pattern: Lexer.NA });
/** A word that is never a name. */
export const Reserved = createToken({ name: "Reserved", pattern: Lexer.NA });

// ----------------------------------------------------------------------------------------------------------- words

export const Name = createToken({ name: "Name", pattern: /[A-Za-z_][A-Za-z0-9_]*/ });

function word(name: string, category: TokenType): TokenType {
  return createToken({ name, pattern: name.toLowerCase(), longer_alt: Name, categories: [category] });
}

export const At = word("At", Reserved);
export const Each = word("Each", Reserved);
export const Keep = word("Keep", Reserved);
export const Else = word("Else", Reserved);
export const True = word("True", Reserved);
export const False = word("False", Reserved);

export const Theta = word("Theta", Name);
export const Import = word("Import", Name);
export const Param = word("Param", Name);
export const Base = word("Base", Name);
export const Model = word("Model", Name);
export const Models = word("Models", Name);
export const Adapter = word("Adapter", Name);
export const Vector = word("Vector", Name);
export const Mask = word("Mask", Name);
export const Strategy = word("Strategy", Name);
export const Merge = word("Merge", Name);
export const Expect = word("Expect", Name);
export const Output = word("Output", Name);

export const As = word("As", Name);
export const On = word("On", Name);
export const Onto = word("Onto", Name);
export const Using = word("Using", Name);

/** The words that begin a statement and declare the name behind them. */
export const DECLARATIONS: readonly TokenType[] = [Param, Base, Model, Models, Adapter, Vector, Mask, Strategy, Merge];

/** Every word that begins a statement. */
export const STATEMENT_WORDS: readonly TokenType[] = [Theta, Import, ...DECLARATIONS, Expect, Output];

// -------------------------------------------------------------------------------------------------------- literals

export const SizeLiteral = createToken({
  name: "SizeLiteral",
  pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[kMGT]B|[KMGT]iB)(?![A-Za-z0-9_])/,
});
export const NumberLiteral = createToken({
  name: "NumberLiteral",
  pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z0-9_]|\.(?!\.))/,
});
/** Digits with something behind them that no number has, such as `3b`, `5.` or `1.2.3`; logical-lines.ts reports it. */
export const BrokenNumber = createToken({
  name: "BrokenNumber",
  pattern: /\d[A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?:\.(?!\.))?/,
});
export const StringLiteral = createToken({
  name: "StringLiteral",
  pattern: matchString,
  start_chars_hint: ['"'],
  line_breaks: false,
});
/** A string that does not end on its line; logical-lines.ts reports it. */
export const OpenString = createToken({ name: "OpenString", pattern: /"[^\r\n]*/ });

/** Not a regular expression: V8's would need a stack as long as the string, and overflow on a hostile one. */
function matchString(text: string, start: number): [string] | null {
  for (let at = start + 1; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        return [text.slice(start, at + 1)];
      case "\\":
        if (text.charAt(at + 1) !== "\r" && text.charAt(at + 1) !== "\n") at++;
        break;
      case "\r":
      case "\n":
        return null;
    }
  }
  return null;
}

// ----------------------------------------------------------------------------------------------------- punctuation

function sign(name: string, pattern: string, ...categories: TokenType[]): TokenType {
  return createToken({ name, pattern, label: `\`${pattern}\``, categories });
}

export const LParen = sign("LParen", "(");
export const RParen = sign("RParen", ")");
export const LSquare = sign("LSquare", "[");
export const RSquare = sign("RSquare", "]");
export const LCurly = sign("LCurly", "{");
export const RCurly = sign("RCurly", "}");
export const Comma = sign("Comma", ",");
export const Colon = sign("Colon", ":");
export const Equals = sign("Equals", "=");
export const AtSign = sign("AtSign", "@");
export const DotDot = sign("DotDot", "..");
export const Dot = sign("Dot", ".");
export const LessEqual = sign("LessEqual", "<=", Comparison);
export const Less = sign("Less", "<", Comparison);
export const GreaterEqual = sign("GreaterEqual", ">=", Comparison);
export const Greater = sign("Greater", ">", Comparison);
export const Plus = sign("Plus", "+", BinaryOperator);
export const Minus = sign("Minus", "-", BinaryOperator, PrefixOperator);
const Times = sign("Times", "*", BinaryOperator);
const Divide = sign("Divide", "/", BinaryOperator);
const And = sign("And", "&", BinaryOperator);
const Or = sign("Or", "|", BinaryOperator);
export const Not = sign("Not", "!", PrefixOperator);

// ----------------------------------------------------------------------------------------------------------- lines

/** Only logical-lines.ts sees them; CRLF counts as LF. */
export const LineEnd = createToken({ name: "LineEnd", pattern: /\r?\n/ });
const Blank = createToken({ name: "Blank", pattern: /[ \t]+/, group: Lexer.SKIPPED });
const Comment = createToken({ name: "Comment", pattern: /#[^\n]*/, group: Lexer.SKIPPED });
/** What no token begins with, and a carriage return alone; a token, because Chevrotain's own recovery is slow. */
export const Unknown = createToken({
  name: "Unknown",
  pattern: /[\u0000-\u0008\u000b\u000c\u000e-\u001f$%';?\\^`~\u007f-\uffff]+|\r/,
});
/** `{ … }` as one token, its lines in the payload. logical-lines.ts makes it, the lexer never does. */
export const Block = createToken({ name: "Block", pattern: Lexer.NA, label: "`{`" });

const KEYWORDS: readonly TokenType[] = [
  ...[At, Each, Keep, Else, True, False],
  ...[Theta, Import, Param, Base, Models, Model, Adapter, Vector, Mask, Strategy, Merge, Expect, Output],
  ...[As, Onto, On, Using],
];

/** Everything the lexer may produce, in the order it tries. */
export const LEXER_TOKENS: readonly TokenType[] = [
  ...[Blank, LineEnd, Comment],
  ...KEYWORDS,
  Name,
  ...[SizeLiteral, NumberLiteral, BrokenNumber, StringLiteral, OpenString],
  ...[LParen, RParen, LSquare, RSquare, LCurly, RCurly, Comma, Colon, Equals, AtSign, DotDot, Dot],
  ...[LessEqual, Less, GreaterEqual, Greater, Plus, Minus, Times, Divide, And, Or, Not],
  Unknown,
];

/** What the parser may be handed. */
export const PARSER_TOKENS: readonly TokenType[] = [
  ...LEXER_TOKENS,
  ...[BinaryOperator, PrefixOperator, Comparison, Reserved, Block],
];
