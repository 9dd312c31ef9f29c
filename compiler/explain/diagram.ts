// A graph of boxes and arrows as dot or mermaid text. Knows nothing of merges.

import { printable } from "../../dsl/printable.ts";

export interface Box {
  readonly id: string;
  /** Lines of text; the first is the title. */
  readonly lines: readonly string[];
  readonly shape: "box" | "rounded" | "cylinder" | "document";
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** `groups` are drawn as frames around their boxes. */
export interface Diagram {
  readonly groups: readonly { readonly title: string; readonly boxes: readonly Box[] }[];
  readonly arrows: readonly Arrow[];
}

const DOT_SHAPES = { box: "box", rounded: "box, style=rounded", cylinder: "cylinder", document: "note" } as const;

export function dotText({ groups, arrows }: Diagram): string {
  const lines = ["digraph theta {", "  rankdir=LR;", '  node [fontname="monospace", shape=box];'];
  groups.forEach(({ title, boxes }, index) => {
    const indent = title === "" ? "  " : "    ";
    if (title !== "") lines.push(`  subgraph cluster_${index} {`, `    label=${dotString([title])};`);
    for (const { id, lines: text, shape } of boxes) {
      lines.push(`${indent}${id} [label=${dotString(text)}, shape=${DOT_SHAPES[shape]}];`);
    }
    if (title !== "") lines.push("  }");
  });
  for (const { from, to, label } of arrows) {
    lines.push(`  ${from} -> ${to}${label === "" ? "" : ` [label=${dotString([label])}]`};`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

export function mermaidText({ groups, arrows }: Diagram): string {
  const lines = ["flowchart LR"];
  groups.forEach(({ title, boxes }, index) => {
    const indent = title === "" ? "  " : "    ";
    if (title !== "") lines.push(`  subgraph group${index}[${mermaidString([title])}]`);
    for (const { id, lines: text, shape } of boxes) lines.push(`${indent}${id}${mermaidShape(text, shape)}`);
    if (title !== "") lines.push("  end");
  });
  for (const { from, to, label } of arrows) {
    lines.push(`  ${from} -->${label === "" ? "" : `|${mermaidString([label])}|`} ${to}`);
  }
  return `${lines.join("\n")}\n`;
}

function mermaidShape(lines: readonly string[], shape: Box["shape"]): string {
  const text = mermaidString(lines);
  switch (shape) {
    case "box":
      return `[${text}]`;
    case "rounded":
      return `(${text})`;
    case "cylinder":
      return `[(${text})]`;
    case "document":
      return `[/${text}/]`;
  }
}

/** In dot a backslash and a quote are syntax, and `\l` ends a line that is set to the left. */
function dotString(lines: readonly string[]): string {
  const escaped = lines.map((line) => printable(line).replace(/["\\]/g, "\\$&"));
  return `"${escaped.length === 1 ? escaped[0]! : escaped.map((line) => `${line}\\l`).join("")}"`;
}

/** In mermaid's quoted strings everything but words may be HTML or Markdown, so it becomes a numbered entity. */
function mermaidString(lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    printable(line).replace(/[^\p{L}\p{N} .,:/_+()=-]/gu, (character) => `#${character.codePointAt(0)!};`),
  );
  return `"${escaped.join("<br/>")}"`;
}
