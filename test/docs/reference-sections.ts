// The parts of METHODS.md and LANGUAGE.md that are made from tables of the sources: methods, settings and diagnostic
// codes. They stand between marked lines; `npm run docs` writes them anew.

import { describeRange, type MethodRow, type Parameter } from "../../compiler/methods/method-row.ts";
import { METHODS } from "../../compiler/methods/method-table.ts";
import { OUTPUT_SETTINGS, SOURCE_SETTINGS } from "../../compiler/settings.ts";
import { DIAGNOSTIC_CODES } from "../../dsl/diagnostic-codes.ts";

interface Section {
  readonly file: "METHODS.md" | "LANGUAGE.md";
  /** Of the marks: `<!-- made from the sources: NAME -->` … `<!-- end: NAME -->`. */
  readonly name: string;
  readonly render: () => string;
}

export const SECTIONS: readonly Section[] = [
  { file: "METHODS.md", name: "methods", render: renderMethods },
  { file: "LANGUAGE.md", name: "settings", render: renderSettings },
  { file: "LANGUAGE.md", name: "diagnostics", render: renderDiagnostics },
];

/** The text with the section's part replaced; throws where the marks are not there. */
export function replaceSection(text: string, { file, name, render }: Section): string {
  const begin = `<!-- made from the sources by "npm run docs": ${name} -->\n`;
  const end = `<!-- end: ${name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file} lacks the marked lines of "${name}"`);
  return text.slice(0, from + begin.length) + render() + text.slice(to);
}

const KINDS: readonly {
  readonly title: string;
  readonly about: string;
  readonly maps: readonly MethodRow["maps"][];
}[] = [
  {
    title: "Strategies",
    about: "A strategy maps vectors to one vector: `using ties`, or `ties(v1, v2, weight: [1, 2])`.",
    maps: ["vectors"],
  },
  { title: "Merges of models", about: "These map models to a model and need no base.", maps: ["models", "either"] },
  { title: "Masks", about: "A mask chooses elements of a vector: `each mask …`, or `vector & …`.", maps: ["mask"] },
  { title: "Selectors", about: "A selector chooses whole tensors by name and is a mask, too.", maps: ["selector"] },
  { title: "Functions", about: "Words with arguments of their own.", maps: ["function"] },
];

function renderMethods(): string {
  const rows = [...METHODS.values()];
  const parts = KINDS.map(({ title, about, maps }) => {
    const ofKind = rows.filter((row) => maps.includes(row.maps));
    const served = ofKind.filter(({ notServed }) => notServed === undefined);
    const refused = ofKind.filter(({ notServed }) => notServed !== undefined);
    const blocks = [`### ${title}`, about, ...served.map(renderServed)];
    if (refused.length > 0) blocks.push(renderRefused(refused));
    return blocks.join("\n\n");
  });
  return `\n${parts.join("\n\n")}\n\n`;
}

function renderServed(row: MethodRow): string {
  const blocks = [`#### \`${row.name}\``, row.summary];
  if (row.parameters.length > 0) {
    const lines = row.parameters.map((parameter) => {
      const { name, meaning } = parameter;
      return `| \`${name}\` | ${valuesOf(parameter)} | ${defaultOf(parameter)} | ${meaningOf(name, meaning)}${refusals(parameter)} |`;
    });
    blocks.push(["| parameter | values | default | |", "|---|---|---|---|", ...lines].join("\n"));
  }
  blocks.push([`Example: \`${row.example}\``, ...sourceOf(row)].join("  \n"));
  return blocks.join("\n\n");
}

/** `use ties or mean` becomes what the program prints: "`ram` is known to theta but not served yet; use ties or mean". */
function renderRefused(rows: readonly MethodRow[]): string {
  const lines = rows.map((row) => {
    const parameters = row.parameters.map((one) => `\`${one.name}\` ${valuesOf(one)}${shortDefault(one)}`).join("; ");
    const [source] = sourceOf(row);
    const about = source === undefined ? row.summary : `${row.summary} ${source}.`;
    return `| \`${row.name}\` | ${about} | ${parameters === "" ? "–" : parameters} | ${row.notServed ?? ""} |`;
  });
  return [
    "Known, and not served yet; the program says “… is known to theta but not served yet;” and the last column:",
    ["| | | parameters | |", "|---|---|---|---|", ...lines].join("\n"),
  ].join("\n\n");
}

function sourceOf({ source }: MethodRow): string[] {
  return source === undefined
    ? []
    : [`Source: ${source.replace(/arXiv (\d{4}\.\d{5})/, "[arXiv $1](https://arxiv.org/abs/$1)")}`];
}

function valuesOf(parameter: Parameter): string {
  switch (parameter.kind) {
    case "number":
    case "integer": {
      const range = describeRange(parameter.range);
      const each = "perInput" in parameter ? " for each input" : "";
      return `${parameter.kind}${each}${range === "" ? "" : `, ${range}`}`;
    }
    case "word":
      return parameter.words.map((word) => `\`${word}\``).join(" ");
    case "boolean":
      return "`true` `false`";
    case "vector":
      return "vector";
  }
}

function defaultOf(parameter: Parameter): string {
  if ("default" in parameter && parameter.default !== undefined) return `\`${String(parameter.default)}\``;
  return parameter.kind === "vector" || "optional" in parameter ? "–" : "must be given";
}

function shortDefault(parameter: Parameter): string {
  return "default" in parameter && parameter.default !== undefined ? ` = \`${String(parameter.default)}\`` : "";
}

/** The parameter's name stands in the first column already. */
function meaningOf(name: string, meaning: string): string {
  return meaning.startsWith(`${name} is `)
    ? meaning.slice(name.length + 4)
    : meaning.replace(new RegExp(`^${name} `), "");
}

function refusals(parameter: Parameter): string {
  const whole = parameter.notServed === undefined ? "" : `; not served yet: ${parameter.notServed}`;
  if (parameter.kind !== "word" || parameter.wordsNotServed === undefined) return whole;
  const words = [...parameter.wordsNotServed].map(([word, help]) => `; \`${word}\` is not served yet: ${help}`);
  return whole + words.join("");
}

function renderSettings(): string {
  const ofSources = Object.entries(SOURCE_SETTINGS).flatMap(([name, { words, without }]) =>
    Object.entries(words).map(([word, meaning]) => `| \`${name} ${word}\` | ${meaning} | ${without} |`),
  );
  const ofOutputs = Object.entries(OUTPUT_SETTINGS).map(
    ([name, { values, meaning, without }]) => `| \`${name}\` | ${values} | ${meaning} | ${without} |`,
  );
  const tables = [
    ["| of a source | | without it |", "|---|---|---|", ...ofSources],
    ["| of an output | values | | without it |", "|---|---|---|---|", ...ofOutputs],
  ];
  return `\n${tables.map((lines) => lines.join("\n")).join("\n\n")}\n\n`;
}

function renderDiagnostics(): string {
  const parts = Object.entries(DIAGNOSTIC_CODES).map(([title, codes]) => {
    const lines = Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${escapePipes(meaning)} |`);
    return [`### ${title}\n`, "| code | what is wrong |", "|---|---|", ...lines].join("\n");
  });
  return `\n${parts.join("\n\n")}\n\n`;
}

function escapePipes(text: string): string {
  return text.replaceAll("|", "\\|");
}
