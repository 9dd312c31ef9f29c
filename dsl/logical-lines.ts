// Tokens to logical lines: which line ends count, which bracket closes which, where a block stands. Also the recovery:
// a bracket that is never closed costs its own line, because a line that can only begin a statement or an entry ends it.
// Knows words and brackets, nothing of expressions.

import type { IToken, TokenType } from "chevrotain";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import type { Note, Report } from "./diagnostic.ts";
import { endOf, isName, replaceToken, type LexicalResult } from "./lexical-pass.ts";
import { MAX_NESTING } from "./limits.ts";
import type { Source } from "./source.ts";
import * as t from "./tokens.ts";

/** One statement, entry, clause, predicate or setting; every `{ … }` in it is one `Block` token. */
export interface LogicalLine {
  readonly tokens: readonly IToken[];
  /** Something in this line was reported already, so what the parser says about it would only repeat that. */
  readonly isReported: boolean;
  /** Nested too deeply to be parsed at all. */
  readonly isTooDeep: boolean;
}

/** The payload of a `Block` token. */
export interface Block {
  readonly lines: readonly LogicalLine[];
}

interface OpenLine {
  readonly tokens: IToken[];
  /** Opening brackets that wait for their closing ones. */
  readonly brackets: IToken[];
  isReported: boolean;
  isTooDeep: boolean;
}

/** The file, or a block that waits for its `}`. */
interface Frame {
  readonly open: IToken | undefined;
  /** It stands where a value belongs, which was told: nothing is read of what is in it. */
  readonly isValue: boolean;
  readonly lines: LogicalLine[];
  line: OpenLine | undefined;
}

export function logicalLines(source: Source, lexical: LexicalResult, report: Report): readonly LogicalLine[] {
  return new LineCutter(source, lexical, report).run();
}

/** Lives for one file. Brackets and frames are stacks of its own, so no depth of nesting overflows. */
class LineCutter {
  readonly #source: Source;
  readonly #tokens: readonly IToken[];
  readonly #faults: readonly number[];
  readonly #report: Report;
  readonly #root: Frame = { open: undefined, isValue: false, lines: [], line: undefined };
  readonly #frames: Frame[] = [this.#root];
  #nextFault = 0;
  /** Braces that were closed because a statement began; their `}` may still come and is no second error. */
  #forgiven = 0;
  /** Open braces and brackets, of all frames. */
  #depth = 0;

  constructor(source: Source, lexical: LexicalResult, report: Report) {
    this.#source = source;
    this.#tokens = lexical.tokens;
    this.#faults = lexical.faults;
    this.#report = report;
  }

  run(): readonly LogicalLine[] {
    let isFirstOfLine = false;
    for (const [at, token] of this.#tokens.entries()) {
      if (token.tokenType === t.LineEnd) {
        this.#markFaultsBefore(token.startOffset);
        isFirstOfLine = true;
        continue;
      }
      if (isFirstOfLine) this.#breakLine(at);
      isFirstOfLine = false;
      this.#place(token, at);
      this.#markFaultsBefore(endOf(token));
    }
    this.#markFaultsBefore(Infinity);
    this.#closeBlocks();
    this.#endLine();
    return this.#root.lines;
  }

  get #frame(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  // ---------------------------------------------------------------------------------------------------- line ends

  /** A line of text ends before the token at `at`: does the logical line end too? */
  #breakLine(at: number): void {
    const line = this.#frame.line;
    const token = this.#tokens[at]!;
    const beginsStatement = this.#beginsStatement(at);
    if (line) {
      const last = line.tokens.at(-1);
      const goesOn =
        line.brackets.length > 0
          ? !this.#beginsLine(at)
          : last !== undefined && matches(last, CONTINUED) && !LINE_WORDS.has(token.tokenType);
      if (goesOn && !beginsStatement) return;
      if (line.brackets.length === 0 && !goesOn && this.#refuseAtLineStart(line, token)) return;
      this.#endLine();
    }
    if (beginsStatement) this.#closeBlocks();
  }

  /** Reports a token that belongs to the end of the line before, and lets that line go on. */
  #refuseAtLineStart(line: OpenLine, token: IToken): boolean {
    const isBrace = token.tokenType === t.LCurly;
    if (!isBrace && (token.tokenType === t.Minus || !matches(token, NEVER_FIRST))) return false;
    this.#error(
      line,
      isBrace ? "brace-at-line-start" : "operator-at-line-start",
      `a line cannot begin with \`${token.image}\``,
      token,
      `write \`${token.image}\` at the end of the line before`,
    );
    return true;
  }

  /** Two words, or a word and a literal, side by side at the beginning of a line: no expression goes on like that. */
  #beginsLine(at: number): boolean {
    const [first, second] = [this.#tokens[at]!, this.#tokens[at + 1]];
    if (!second || !(isName(first) || first.tokenType === t.At || first.tokenType === t.Each)) return false;
    return isName(second) || LITERALS.includes(second.tokenType);
  }

  /** The tokens at `at` can only be the beginning of a statement, wherever they stand. */
  #beginsStatement(at: number): boolean {
    const word = this.#tokens[at]!.tokenType;
    const [second, third] = [this.#tokens[at + 1], this.#tokens[at + 2]];
    if (!second || !t.STATEMENT_WORDS.includes(word)) return false;
    if (word === t.Import || word === t.Output) return second.tokenType === t.StringLiteral;
    if (word === t.Theta) return second.tokenType === t.NumberLiteral;
    if (!third || !isName(second)) return false;
    if (word === t.Expect) return third.tokenType === t.LCurly;
    if (word === t.Param) return third.tokenType === t.Colon;
    if (third.tokenType === t.Equals) return true;
    return word === t.Merge && (third.tokenType === t.Onto || third.tokenType === t.Using);
  }

  // ------------------------------------------------------------------------------------------------------- tokens

  #place(token: IToken, at: number): void {
    switch (token.tokenType) {
      case t.LParen:
      case t.LSquare:
        return this.#openBracket(token);
      case t.RParen:
      case t.RSquare:
        return this.#closeBracket(token);
      case t.LCurly:
        return this.#openBlock(token, at);
      case t.RCurly:
        return this.#closeBlock(token);
      default:
        this.#openLine().tokens.push(token);
    }
  }

  #openBracket(token: IToken): void {
    const line = this.#openLine();
    line.tokens.push(token);
    line.brackets.push(token);
    this.#deepen(token);
  }

  #closeBracket(token: IToken): void {
    const line = this.#openLine();
    const open = line.brackets.pop();
    if (!open) {
      this.#error(line, "stray-bracket", `\`${token.image}\` closes nothing`, token);
      return;
    }
    this.#depth--;
    const close = CLOSING.get(open.tokenType)!;
    if (token.tokenType === close) {
      line.tokens.push(token);
      return;
    }
    const message = `\`${token.image}\` cannot close \`${open.image}\``;
    this.#error(line, "mismatched-bracket", message, token, undefined, this.#note("opened here", open));
    line.tokens.push(replaceToken(token, close, token.image));
  }

  #openBlock(token: IToken, at: number): void {
    const line = this.#openLine();
    const isValue = this.#frame.isValue || (line.brackets.length > 0 && this.#beginsMap(at));
    if (isValue) this.#refuseMap(line, token);
    else this.#closeBrackets(line);
    this.#frames.push({ open: token, isValue, lines: [], line: undefined });
    this.#deepen(token);
  }

  /** Behind the `{` at `at` a key and a colon follow, as in YAML and JSON; no line of a block begins like that. */
  #beginsMap(at: number): boolean {
    let next = at + 1;
    while (this.#tokens[next]?.tokenType === t.LineEnd) next++;
    const [key, colon] = [this.#tokens[next], this.#tokens[next + 1]];
    return key !== undefined && (isName(key) || LITERALS.includes(key.tokenType)) && colon?.tokenType === t.Colon;
  }

  #refuseMap(line: OpenLine, token: IToken): void {
    if (line.isReported || this.#frame.isValue) return;
    const help = 'what varies from tensor to tensor is written match("*mlp*": 0.3, else: 0.5)';
    this.#error(line, "expected-value", "expected a value, found `{`", token, help);
  }

  #closeBlock(token: IToken): void {
    this.#endLine();
    const frame = this.#frame;
    if (!frame.open) {
      if (this.#forgiven-- > 0) return;
      this.#forgiven = 0;
      const line = this.#openLine();
      this.#error(line, "stray-bracket", "`}` closes nothing", token);
      return;
    }
    this.#leaveBlock(frame.open, endOf(token));
  }

  /** Makes the innermost frame a `Block` token of the line around it. */
  #leaveBlock(open: IToken, end: number): void {
    const { lines, isValue } = this.#frames.pop()!;
    this.#depth--;
    const block = replaceToken(open, t.Block, this.#source.text.slice(open.startOffset, end));
    const payload: Block = { lines: isValue ? [] : lines };
    block.payload = payload;
    this.#frame.line!.tokens.push(block);
  }

  #openLine(): OpenLine {
    this.#frame.line ??= { tokens: [], brackets: [], isReported: false, isTooDeep: false };
    return this.#frame.line;
  }

  // -------------------------------------------------------------------------------------------------------- ends

  #endLine(): void {
    const { line, lines } = this.#frame;
    if (!line) return;
    this.#closeBrackets(line);
    this.#frame.line = undefined;
    if (line.tokens.length > 0) lines.push(line);
  }

  /** Closes what `line` left open, so that the parser sees a balanced line. */
  #closeBrackets(line: OpenLine): void {
    const innermost = line.brackets[line.brackets.length - 1];
    if (!innermost) return;
    const end = endOf(line.tokens[line.tokens.length - 1]!);
    if (!line.isReported) {
      this.#error(line, "unclosed-bracket", `this \`${innermost.image}\` is never closed`, innermost);
    }
    for (let open = line.brackets.pop(); open; open = line.brackets.pop()) {
      this.#depth--;
      line.tokens.push(replaceToken(open, CLOSING.get(open.tokenType)!, "", end));
    }
  }

  /** Leaves every block: the file ends here, or a statement begins. */
  #closeBlocks(): void {
    let isFirst = true;
    while (this.#frames.length > 1) {
      this.#endLine();
      const open = this.#frame.open!;
      const last = this.#frame.lines.at(-1)?.tokens.at(-1) ?? open;
      const around = this.#frames[this.#frames.length - 2]!.line!;
      if (isFirst && !around.isReported && !this.#root.line!.isTooDeep) {
        this.#error(around, "unclosed-bracket", "this `{` is never closed", open);
      }
      around.isReported = true;
      isFirst = false;
      this.#forgiven++;
      this.#leaveBlock(open, endOf(last));
    }
    this.#endLine();
  }

  // ------------------------------------------------------------------------------------------------------ reports

  /** What is too deep costs the statement around everything. */
  #deepen(token: IToken): void {
    this.#depth++;
    const statement = this.#root.line!;
    if (this.#depth <= MAX_NESTING || statement.isTooDeep) return;
    this.#error(statement, "nested-too-deeply", `brackets are nested more than ${MAX_NESTING} levels deep here`, token);
    statement.isTooDeep = true;
  }

  #markFaultsBefore(offset: number): void {
    while (this.#nextFault < this.#faults.length && this.#faults[this.#nextFault]! < offset) {
      if (this.#frame.line) this.#frame.line.isReported = true;
      this.#nextFault++;
    }
  }

  #error(line: OpenLine, code: DiagnosticCode, message: string, at: IToken, help?: string, ...notes: Note[]): void {
    line.isReported = true;
    if (this.#frame.isValue) return;
    this.#report({
      code,
      severity: "error",
      message,
      span: { source: this.#source, start: at.startOffset, end: endOf(at) },
      ...(notes.length > 0 ? { notes } : {}),
      ...(help === undefined ? {} : { help }),
    });
  }

  #note(message: string, at: IToken): Note {
    return { message, span: { source: this.#source, start: at.startOffset, end: endOf(at) } };
  }
}

const LITERALS: readonly TokenType[] = [t.NumberLiteral, t.SizeLiteral, t.StringLiteral];
const CLOSING: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.LParen, t.RParen],
  [t.LSquare, t.RSquare],
]);
/** Behind these a line goes on. */
const CONTINUED: readonly TokenType[] = [t.Comma, t.Colon, t.Equals, t.BinaryOperator, t.Comparison];
/** Reserved words that begin a line and never continue an expression. */
const LINE_WORDS: ReadonlySet<TokenType> = new Set([t.At, t.Each, t.Keep]);
const NEVER_FIRST: readonly TokenType[] = [...CONTINUED, t.AtSign, t.Dot, t.DotDot];

function matches({ tokenType }: IToken, types: readonly TokenType[]): boolean {
  return types.some((type) => tokenType === type || (tokenType.CATEGORIES?.includes(type) ?? false));
}
