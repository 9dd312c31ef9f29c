// README.md of an output: what the hub reads (front matter) and what a colleague wants to know a year later. The same
// build gives the same bytes: no time, no host, no path of this machine beyond what the recipe says.

import { printable } from "../../dsl/printable.ts";

export interface ModelCard {
  readonly kind: "model" | "vector";
  /** Name of the output, such as the last part of its path. */
  readonly title: string;
  /** The root recipe as the user spelled it. */
  readonly recipe: string;
  /** Methods and masks that took part, as recipes name them. */
  readonly methods: readonly string[];
  readonly inputs: readonly CardInput[];
  /** Of the output's tensors. */
  readonly digest: string;
  readonly version: string;
}

export interface CardInput {
  /** As the recipe spells it. */
  readonly source: string;
  /** Absolute; names the hub's repository when it lies in the hub's cache. */
  readonly path: string;
  /** `checkpointDigest`, where every payload's digest is known. */
  readonly digest?: string;
}

export function modelCard({ kind, title, recipe, methods, inputs, digest, version }: ModelCard): Uint8Array {
  const names = [...new Set(inputs.map(hubName))];
  const frontMatter = [
    "---",
    ...(names.length === 0 ? [] : ["base_model:", ...names.map((name) => `- ${JSON.stringify(name)}`)]),
    ...(kind === "model" && names.length > 0 ? ["base_model_relation: merge"] : []),
    "tags:",
    "- merge",
    "- theta",
    "---",
  ];
  const what = kind === "model" ? "A merge" : "A task vector, to be added to the base it was taken from,";
  const using = methods.length === 0 ? "" : `, using ${methods.map(code).join(", ")}`;
  const body = [
    `# ${heading(title)}`,
    "",
    `${what} made by theta ${version} from ${code(recipe)}${using}.`,
    "",
    "| input | digest |",
    "| --- | --- |",
    ...inputs.map((input) => `| ${code(input.source)} | ${input.digest === undefined ? "" : code(input.digest)} |`),
    "",
    `Tensors: ${code(digest)}. \`theta.json\` holds the same facts for programs.`,
  ];
  return Buffer.from(`${[...frontMatter, "", ...body].join("\n")}\n`, "utf8");
}

/** "org/name" of a path in the hub's cache, else what the recipe says. */
function hubName({ path, source }: CardInput): string {
  const repository = /\/models--([^/]+)\/snapshots\//.exec(`${path}/`)?.[1];
  return repository === undefined ? source : repository.replace("--", "/");
}

function code(text: string): string {
  const line = printable(text).replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}

function heading(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
}
