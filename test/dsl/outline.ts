// The AST as text that a person can compare with the recipe: one line a node of the line level, expressions in full
// parentheses, so that precedence shows.

import type * as ast from "../../dsl/ast.ts";

export function outline(recipe: ast.Recipe): string {
  const lines = recipe.statements.flatMap(outlineStatement);
  return [`version ${recipe.version?.version ?? "missing"}`, ...lines].join("\n") + "\n";
}

function outlineStatement(statement: ast.Statement): string[] {
  switch (statement.kind) {
    case "import":
      return [`import ${JSON.stringify(statement.path.value)} as ${statement.name.text}${list(statement.arguments)}`];
    case "param": {
      const start = statement.default ? ` = ${text(statement.default)}` : "";
      return [`param ${statement.name.text}: ${statement.type.text}${list(statement.typeArguments)}${start}`];
    }
    case "model": {
      const revision = statement.revision ? ` @ ${text(statement.revision)}` : "";
      const head = `${statement.word} ${statement.name.text} = ${text(statement.source)}${revision}`;
      return [head, ...statement.exceptions.map(setting)];
    }
    case "models":
      return [`models ${statement.name.text} = ${text(statement.source)}`, ...statement.exceptions.map(setting)];
    case "adapter": {
      const revision = statement.revision ? ` @ ${text(statement.revision)}` : "";
      const head = `adapter ${statement.name.text} = ${text(statement.source)}${revision} on ${text(statement.on)}`;
      return [head, ...statement.exceptions.map(setting)];
    }
    case "vector": {
      const on = statement.on ? ` on ${text(statement.on)}` : "";
      return [`vector ${statement.name.text} = ${text(statement.value)}${on}`, ...statement.exceptions.map(setting)];
    }
    case "mask":
    case "strategy":
      return [`${statement.kind} ${statement.name.text} = ${text(statement.value)}`];
    case "merge":
      return outlineMerge(statement);
    case "expect":
      return [`expect ${text(statement.target)}`, ...statement.predicates.map(predicate)];
    case "output":
      return [`output ${text(statement.path)} = ${text(statement.value)}`, ...statement.settings.map(setting)];
  }
}

function outlineMerge({ name, body }: ast.MergeStatement): string[] {
  if (body.kind === "merge-expression") return [`merge ${name.text} = ${text(body.value)}`];
  const onto = body.onto ? ` onto ${text(body.onto)}` : "";
  const using = body.using ? ` using ${text(body.using)}` : "";
  return [`merge ${name.text}${onto}${using}`, ...body.items.flatMap((item) => outlineItem(item).map(indent))];
}

function outlineItem(item: ast.MergeItem): string[] {
  switch (item.kind) {
    case "entry":
      return [`entry ${text(item.value)}${clauses(item.clauses)}`];
    case "each":
      return [`each${clauses(item.clauses)}`];
    case "at": {
      const head = `at ${item.selectors.map(text).join(", ")}`;
      if (item.body.kind === "keep") return [`${head} keep ${text(item.body.value)}`];
      return [head, ...item.body.entries.flatMap((entry) => outlineItem(entry).map(indent))];
    }
  }
}

const indent = (line: string): string => `  ${line}`;
const setting = ({ name, value }: ast.Setting): string => `  setting ${name.text} ${text(value)}`;
const clauses = (list: readonly ast.Clause[]): string =>
  list.map(({ name, value }) => `  [${name.text} ${text(value)}]`).join("");

function predicate({ each, metric, comparison }: ast.Predicate): string {
  const bound = comparison ? ` ${comparison.operator} ${text(comparison.bound)}` : "";
  return `  predicate ${each ? "each " : ""}${text(metric)}${bound}`;
}

function list(items: readonly ast.Argument[]): string {
  return items.length > 0 ? `(${items.map(argument).join(", ")})` : "";
}

function argument({ label, value }: ast.Argument): string {
  if (!label) return text(value);
  return `${label.kind === "else" ? "else" : text(label)}: ${text(value)}`;
}

function text(node: ast.Expression): string {
  switch (node.kind) {
    case "name":
      return node.text;
    case "member":
      return `${node.object.text}.${node.member.text}`;
    case "number":
      return String(node.value);
    case "size":
      return `${node.bytes} bytes`;
    case "string":
      return JSON.stringify(node.value);
    case "boolean":
      return String(node.value);
    case "list":
      return `[${node.elements.map(text).join(", ")}]`;
    case "range":
      return `${text(node.from)}..${node.to ? text(node.to) : ""}`;
    case "call":
      return `${text(node.callee)}(${node.arguments.map(argument).join(", ")})`;
    case "unary":
      return `${node.operator}${text(node.operand)}`;
    case "binary":
      return `(${text(node.left)} ${node.operator} ${text(node.right)})`;
    case "parenthesized":
      return text(node.inner);
  }
}
