// The Chevrotain rules; no actions. A rule reads one logical line, because a line is a statement and a broken one must
// cost only itself: logical-lines.ts has cut the text into lines and made one `Block` token of each `{ … }`, whose
// lines are then read with the rule that fits where the block stands:
//
//   a file                       statementLine
//   `merge … { }`, `at … { }`    mergeLine
//   behind an entry or `each`    clauseLine
//   `expect … { }`               predicateLine
//   every other block            settingLine
//
// So recovery needs no heuristics inside the parser, and an error in one line hides no other line.

import { CstParser, type TokenType } from "chevrotain";
import { lazyLookahead } from "./lazy-lookahead.ts";
import { messageProvider } from "./parse-messages.ts";
import * as t from "./tokens.ts";

export type LineRule = "statementLine" | "mergeLine" | "clauseLine" | "predicateLine" | "settingLine";

/** One token tells every choice. */
const MOST_LOOKAHEAD = 1;

export class RecipeParser extends CstParser {
  /** `skipValidations` halves the time to build the parser; a test builds it with the validations. */
  constructor(options: { readonly skipValidations: boolean }) {
    super([...t.PARSER_TOKENS], {
      maxLookahead: MOST_LOOKAHEAD,
      lookaheadStrategy: lazyLookahead(MOST_LOOKAHEAD),
      recoveryEnabled: false,
      nodeLocationTracking: "none",
      errorMessageProvider: messageProvider,
      skipValidations: options.skipValidations,
    });
    this.performSelfAnalysis();
  }

  // ------------------------------------------------------------------------------------------------------- lines

  readonly statementLine = this.RULE("statementLine", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.versionHeader) },
      { ALT: () => this.SUBRULE(this.importStatement) },
      { ALT: () => this.SUBRULE(this.paramStatement) },
      { ALT: () => this.SUBRULE(this.modelStatement) },
      { ALT: () => this.SUBRULE(this.modelsStatement) },
      { ALT: () => this.SUBRULE(this.adapterStatement) },
      { ALT: () => this.SUBRULE(this.vectorStatement) },
      { ALT: () => this.SUBRULE(this.valueStatement) },
      { ALT: () => this.SUBRULE(this.mergeStatement) },
      { ALT: () => this.SUBRULE(this.expectStatement) },
      { ALT: () => this.SUBRULE(this.outputStatement) },
    ]);
  });

  readonly mergeLine = this.RULE("mergeLine", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.eachClauses) },
      { ALT: () => this.SUBRULE(this.atBlock) },
      { ALT: () => this.SUBRULE(this.entry) },
    ]);
  });

  readonly clauseLine = this.RULE("clauseLine", () => {
    this.AT_LEAST_ONE(() => this.SUBRULE(this.clause));
  });

  readonly predicateLine = this.RULE("predicateLine", () => {
    this.OPTION(() => this.CONSUME(t.Each));
    this.SUBRULE(this.expression, { LABEL: "metric" });
    this.OPTION2(() => {
      this.CONSUME(t.Comparison);
      this.SUBRULE2(this.expression, { LABEL: "bound" });
    });
  });

  readonly settingLine = this.RULE("settingLine", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.expression);
  });

  // -------------------------------------------------------------------------------------------------- statements

  readonly versionHeader = this.RULE("versionHeader", () => {
    this.CONSUME(t.Theta);
    this.CONSUME(t.NumberLiteral);
  });

  readonly importStatement = this.RULE("importStatement", () => {
    this.CONSUME(t.Import);
    this.CONSUME(t.StringLiteral);
    this.CONSUME(t.As);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.arguments));
  });

  readonly paramStatement = this.RULE("paramStatement", () => {
    this.CONSUME(t.Param);
    this.CONSUME(t.Name, { LABEL: "name" });
    this.CONSUME(t.Colon);
    this.CONSUME2(t.Name, { LABEL: "type" });
    this.OPTION(() => this.SUBRULE(this.arguments));
    this.OPTION2(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expression);
    });
  });

  readonly modelStatement = this.RULE("modelStatement", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Base, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Model, { LABEL: "word" }) },
    ]);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression, { LABEL: "source" });
    this.OPTION(() => this.SUBRULE(this.revision));
    this.OPTION2(() => this.CONSUME(t.Block));
  });

  readonly modelsStatement = this.RULE("modelsStatement", () => {
    this.CONSUME(t.Models);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression, { LABEL: "source" });
    this.OPTION(() => this.CONSUME(t.Block));
  });

  readonly adapterStatement = this.RULE("adapterStatement", () => {
    this.CONSUME(t.Adapter);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression, { LABEL: "source" });
    this.OPTION(() => this.SUBRULE(this.revision));
    this.CONSUME(t.On);
    this.SUBRULE2(this.expression, { LABEL: "on" });
    this.OPTION2(() => this.CONSUME(t.Block));
  });

  readonly revision = this.RULE("revision", () => {
    this.CONSUME(t.AtSign);
    this.SUBRULE(this.expression);
  });

  readonly vectorStatement = this.RULE("vectorStatement", () => {
    this.CONSUME(t.Vector);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.OPTION(() => {
      this.CONSUME(t.On);
      this.SUBRULE2(this.expression, { LABEL: "on" });
    });
    this.OPTION2(() => this.CONSUME(t.Block));
  });

  /** `mask NAME = …` and `strategy NAME = …` */
  readonly valueStatement = this.RULE("valueStatement", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Mask, { LABEL: "word" }) },
      { ALT: () => this.CONSUME(t.Strategy, { LABEL: "word" }) },
    ]);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression);
  });

  readonly mergeStatement = this.RULE("mergeStatement", () => {
    this.CONSUME(t.Merge);
    this.CONSUME(t.Name);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Equals);
          this.SUBRULE(this.expression, { LABEL: "value" });
        },
      },
      { ALT: () => this.SUBRULE(this.mergeBlock) },
    ]);
  });

  readonly mergeBlock = this.RULE("mergeBlock", () => {
    this.OPTION(() => {
      this.CONSUME(t.Onto);
      this.SUBRULE(this.expression, { LABEL: "onto" });
    });
    this.OPTION2(() => {
      this.CONSUME(t.Using);
      this.SUBRULE2(this.expression, { LABEL: "using" });
    });
    this.CONSUME(t.Block);
  });

  readonly expectStatement = this.RULE("expectStatement", () => {
    this.CONSUME(t.Expect);
    this.SUBRULE(this.expression);
    this.CONSUME(t.Block);
  });

  readonly outputStatement = this.RULE("outputStatement", () => {
    this.CONSUME(t.Output);
    this.SUBRULE(this.expression, { LABEL: "path" });
    this.CONSUME(t.Equals);
    this.SUBRULE2(this.expression, { LABEL: "value" });
    this.OPTION(() => this.CONSUME(t.Block));
  });

  // ----------------------------------------------------------------------------------------------------- entries

  readonly eachClauses = this.RULE("eachClauses", () => {
    this.CONSUME(t.Each);
    this.MANY(() => this.SUBRULE(this.clause));
    this.OPTION(() => this.CONSUME(t.Block));
  });

  readonly atBlock = this.RULE("atBlock", () => {
    this.CONSUME(t.At);
    this.SUBRULE(this.expression, { LABEL: "selector" });
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.expression, { LABEL: "selector" });
    });
    this.OR([{ ALT: () => this.SUBRULE(this.keep) }, { ALT: () => this.CONSUME(t.Block) }]);
  });

  readonly keep = this.RULE("keep", () => {
    this.CONSUME(t.Keep);
    this.SUBRULE(this.expression);
  });

  readonly entry = this.RULE("entry", () => {
    this.SUBRULE(this.expression);
    this.MANY(() => this.SUBRULE(this.clause));
    this.OPTION(() => this.CONSUME(t.Block));
  });

  readonly clause = this.RULE("clause", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.expression);
  });

  // ------------------------------------------------------------------------------------------------- expressions

  /** Flat: cst-to-expression.ts knows which operator binds tighter. */
  readonly expression = this.RULE("expression", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.CONSUME(t.BinaryOperator);
      this.SUBRULE2(this.operand);
    });
  });

  readonly operand = this.RULE("operand", () => {
    this.MANY(() => this.CONSUME(t.PrefixOperator));
    this.OR([
      { ALT: () => this.SUBRULE(this.reference) },
      { ALT: () => this.CONSUME(t.NumberLiteral) },
      { ALT: () => this.CONSUME(t.SizeLiteral) },
      { ALT: () => this.CONSUME(t.StringLiteral) },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.parenthesized) },
    ]);
  });

  /** `name`, `lib.name`, `name(…)` or `lib.name(…)` */
  readonly reference = this.RULE("reference", () => {
    this.CONSUME(t.Name, { LABEL: "object" });
    this.OPTION(() => {
      this.CONSUME(t.Dot);
      this.CONSUME2(t.Name, { LABEL: "member" });
    });
    this.OPTION2(() => this.SUBRULE(this.arguments));
  });

  readonly parenthesized = this.RULE("parenthesized", () => {
    this.CONSUME(t.LParen);
    this.SUBRULE(this.expression);
    this.CONSUME(t.RParen);
  });

  readonly list = this.RULE("list", () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.SUBRULE(this.expression);
      this.MANY({
        GATE: () => this.#isMoreBehindComma(t.RSquare),
        DEF: () => {
          this.CONSUME(t.Comma);
          this.SUBRULE2(this.expression);
        },
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RSquare);
  });

  readonly arguments = this.RULE("arguments", () => {
    this.CONSUME(t.LParen);
    this.OPTION(() => {
      this.SUBRULE(this.argument);
      this.MANY({
        GATE: () => this.#isMoreBehindComma(t.RParen),
        DEF: () => {
          this.CONSUME(t.Comma);
          this.SUBRULE2(this.argument);
        },
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RParen);
  });

  readonly argument = this.RULE("argument", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Else);
          this.CONSUME(t.Colon);
          this.SUBRULE(this.range, { LABEL: "value" });
        },
      },
      {
        ALT: () => {
          this.SUBRULE2(this.range, { LABEL: "labelOrValue" });
          this.OPTION(() => {
            this.CONSUME2(t.Colon);
            this.SUBRULE3(this.range, { LABEL: "value" });
          });
        },
      },
    ]);
  });

  /** An expression, `A..B` or `A..` */
  readonly range = this.RULE("range", () => {
    this.SUBRULE(this.expression, { LABEL: "from" });
    this.OPTION(() => {
      this.CONSUME(t.DotDot);
      this.OPTION2(() => this.SUBRULE2(this.expression, { LABEL: "to" }));
    });
  });

  /** Tells a separating comma from a trailing one; the only place that looks at the token after next. */
  #isMoreBehindComma(close: TokenType): boolean {
    return this.LA(2).tokenType !== close;
  }
}
