// Generated from grammar.ts by Chevrotain's generateCstDts; test/dsl/grammar.test.ts holds that it is up to date and
// says how to write it anew. Only cst-to-ast.ts and cst-to-expression.ts may see it.

import type { CstNode, IToken } from "chevrotain";

export interface StatementLineCstNode extends CstNode {
  name: "statementLine";
  children: StatementLineCstChildren;
}

export type StatementLineCstChildren = {
  versionHeader?: VersionHeaderCstNode[];
  importStatement?: ImportStatementCstNode[];
  paramStatement?: ParamStatementCstNode[];
  modelStatement?: ModelStatementCstNode[];
  modelsStatement?: ModelsStatementCstNode[];
  adapterStatement?: AdapterStatementCstNode[];
  vectorStatement?: VectorStatementCstNode[];
  valueStatement?: ValueStatementCstNode[];
  mergeStatement?: MergeStatementCstNode[];
  expectStatement?: ExpectStatementCstNode[];
  outputStatement?: OutputStatementCstNode[];
};

export interface MergeLineCstNode extends CstNode {
  name: "mergeLine";
  children: MergeLineCstChildren;
}

export type MergeLineCstChildren = {
  eachClauses?: EachClausesCstNode[];
  atBlock?: AtBlockCstNode[];
  entry?: EntryCstNode[];
};

export interface ClauseLineCstNode extends CstNode {
  name: "clauseLine";
  children: ClauseLineCstChildren;
}

export type ClauseLineCstChildren = {
  clause: ClauseCstNode[];
};

export interface PredicateLineCstNode extends CstNode {
  name: "predicateLine";
  children: PredicateLineCstChildren;
}

export type PredicateLineCstChildren = {
  Each?: IToken[];
  metric: ExpressionCstNode[];
  Comparison?: IToken[];
  bound?: ExpressionCstNode[];
};

export interface SettingLineCstNode extends CstNode {
  name: "settingLine";
  children: SettingLineCstChildren;
}

export type SettingLineCstChildren = {
  Name: IToken[];
  expression: ExpressionCstNode[];
};

export interface VersionHeaderCstNode extends CstNode {
  name: "versionHeader";
  children: VersionHeaderCstChildren;
}

export type VersionHeaderCstChildren = {
  Theta: IToken[];
  NumberLiteral: IToken[];
};

export interface ImportStatementCstNode extends CstNode {
  name: "importStatement";
  children: ImportStatementCstChildren;
}

export type ImportStatementCstChildren = {
  Import: IToken[];
  StringLiteral: IToken[];
  As: IToken[];
  Name: IToken[];
  arguments?: ArgumentsCstNode[];
};

export interface ParamStatementCstNode extends CstNode {
  name: "paramStatement";
  children: ParamStatementCstChildren;
}

export type ParamStatementCstChildren = {
  Param: IToken[];
  name: IToken[];
  Colon: IToken[];
  type: IToken[];
  arguments?: ArgumentsCstNode[];
  Equals?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface ModelStatementCstNode extends CstNode {
  name: "modelStatement";
  children: ModelStatementCstChildren;
}

export type ModelStatementCstChildren = {
  word?: IToken[];
  Name: IToken[];
  Equals: IToken[];
  source: ExpressionCstNode[];
  revision?: RevisionCstNode[];
  Block?: IToken[];
};

export interface ModelsStatementCstNode extends CstNode {
  name: "modelsStatement";
  children: ModelsStatementCstChildren;
}

export type ModelsStatementCstChildren = {
  Models: IToken[];
  Name: IToken[];
  Equals: IToken[];
  source: ExpressionCstNode[];
  Block?: IToken[];
};

export interface AdapterStatementCstNode extends CstNode {
  name: "adapterStatement";
  children: AdapterStatementCstChildren;
}

export type AdapterStatementCstChildren = {
  Adapter: IToken[];
  Name: IToken[];
  Equals: IToken[];
  source: ExpressionCstNode[];
  revision?: RevisionCstNode[];
  On: IToken[];
  on: ExpressionCstNode[];
  Block?: IToken[];
};

export interface RevisionCstNode extends CstNode {
  name: "revision";
  children: RevisionCstChildren;
}

export type RevisionCstChildren = {
  AtSign: IToken[];
  expression: ExpressionCstNode[];
};

export interface VectorStatementCstNode extends CstNode {
  name: "vectorStatement";
  children: VectorStatementCstChildren;
}

export type VectorStatementCstChildren = {
  Vector: IToken[];
  Name: IToken[];
  Equals: IToken[];
  value: ExpressionCstNode[];
  On?: IToken[];
  on?: ExpressionCstNode[];
  Block?: IToken[];
};

export interface ValueStatementCstNode extends CstNode {
  name: "valueStatement";
  children: ValueStatementCstChildren;
}

export type ValueStatementCstChildren = {
  word?: IToken[];
  Name: IToken[];
  Equals: IToken[];
  expression: ExpressionCstNode[];
};

export interface MergeStatementCstNode extends CstNode {
  name: "mergeStatement";
  children: MergeStatementCstChildren;
}

export type MergeStatementCstChildren = {
  Merge: IToken[];
  Name: IToken[];
  Equals?: IToken[];
  value?: ExpressionCstNode[];
  mergeBlock?: MergeBlockCstNode[];
};

export interface MergeBlockCstNode extends CstNode {
  name: "mergeBlock";
  children: MergeBlockCstChildren;
}

export type MergeBlockCstChildren = {
  Onto?: IToken[];
  onto?: ExpressionCstNode[];
  Using?: IToken[];
  using?: ExpressionCstNode[];
  Block: IToken[];
};

export interface ExpectStatementCstNode extends CstNode {
  name: "expectStatement";
  children: ExpectStatementCstChildren;
}

export type ExpectStatementCstChildren = {
  Expect: IToken[];
  expression: ExpressionCstNode[];
  Block: IToken[];
};

export interface OutputStatementCstNode extends CstNode {
  name: "outputStatement";
  children: OutputStatementCstChildren;
}

export type OutputStatementCstChildren = {
  Output: IToken[];
  path: ExpressionCstNode[];
  Equals: IToken[];
  value: ExpressionCstNode[];
  Block?: IToken[];
};

export interface EachClausesCstNode extends CstNode {
  name: "eachClauses";
  children: EachClausesCstChildren;
}

export type EachClausesCstChildren = {
  Each: IToken[];
  clause?: ClauseCstNode[];
  Block?: IToken[];
};

export interface AtBlockCstNode extends CstNode {
  name: "atBlock";
  children: AtBlockCstChildren;
}

export type AtBlockCstChildren = {
  At: IToken[];
  selector: ExpressionCstNode[];
  Comma?: IToken[];
  keep?: KeepCstNode[];
  Block?: IToken[];
};

export interface KeepCstNode extends CstNode {
  name: "keep";
  children: KeepCstChildren;
}

export type KeepCstChildren = {
  Keep: IToken[];
  expression: ExpressionCstNode[];
};

export interface EntryCstNode extends CstNode {
  name: "entry";
  children: EntryCstChildren;
}

export type EntryCstChildren = {
  expression: ExpressionCstNode[];
  clause?: ClauseCstNode[];
  Block?: IToken[];
};

export interface ClauseCstNode extends CstNode {
  name: "clause";
  children: ClauseCstChildren;
}

export type ClauseCstChildren = {
  Name: IToken[];
  expression: ExpressionCstNode[];
};

export interface ExpressionCstNode extends CstNode {
  name: "expression";
  children: ExpressionCstChildren;
}

export type ExpressionCstChildren = {
  operand: OperandCstNode[];
  BinaryOperator?: IToken[];
};

export interface OperandCstNode extends CstNode {
  name: "operand";
  children: OperandCstChildren;
}

export type OperandCstChildren = {
  PrefixOperator?: IToken[];
  reference?: ReferenceCstNode[];
  NumberLiteral?: IToken[];
  SizeLiteral?: IToken[];
  StringLiteral?: IToken[];
  True?: IToken[];
  False?: IToken[];
  list?: ListCstNode[];
  parenthesized?: ParenthesizedCstNode[];
};

export interface ReferenceCstNode extends CstNode {
  name: "reference";
  children: ReferenceCstChildren;
}

export type ReferenceCstChildren = {
  object: IToken[];
  Dot?: IToken[];
  member?: IToken[];
  arguments?: ArgumentsCstNode[];
};

export interface ParenthesizedCstNode extends CstNode {
  name: "parenthesized";
  children: ParenthesizedCstChildren;
}

export type ParenthesizedCstChildren = {
  LParen: IToken[];
  expression: ExpressionCstNode[];
  RParen: IToken[];
};

export interface ListCstNode extends CstNode {
  name: "list";
  children: ListCstChildren;
}

export type ListCstChildren = {
  LSquare: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RSquare: IToken[];
};

export interface ArgumentsCstNode extends CstNode {
  name: "arguments";
  children: ArgumentsCstChildren;
}

export type ArgumentsCstChildren = {
  LParen: IToken[];
  argument?: ArgumentCstNode[];
  Comma?: IToken[];
  RParen: IToken[];
};

export interface ArgumentCstNode extends CstNode {
  name: "argument";
  children: ArgumentCstChildren;
}

export type ArgumentCstChildren = {
  Else?: IToken[];
  Colon?: IToken[];
  value?: RangeCstNode[];
  labelOrValue?: RangeCstNode[];
};

export interface RangeCstNode extends CstNode {
  name: "range";
  children: RangeCstChildren;
}

export type RangeCstChildren = {
  from: ExpressionCstNode[];
  DotDot?: IToken[];
  to?: ExpressionCstNode[];
};
