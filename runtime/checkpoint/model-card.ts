// README.md of an output: what the hub reads (front matter) and what a colleague wants to know a year later. The same
// build gives the same bytes: no time, no host, no path of this machine beyond what the recipe says.

import { printable } from "../../dsl/printable.ts";
import type { RecordedInput } from "./theta-file.ts";

interface ModelCard {
  readonly kind: "model" | "vector";
  /** Name of the output, such as the last part of its path. */
  readonly title: string;
  /** The root recipe as the user spelled it. */
  readonly recipe: string;
  /** Methods and masks that took part, as recipes name them. */
  readonly methods: readonly string[];
  readonly inputs: readonly RecordedInput[];
  /** Of the output's tensors. */
  readonly digest: string;
  readonly version: string;
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
    "| input | digest of the tensors that were read |",
    "| --- | --- |",
    ...inputs.map(({ source, digest: read }) => `| ${code(source)} | ${code(read)} |`),
    "",
    `Tensors: ${code(digest)}. \`theta.json\` holds the same facts for programs.`,
  ];
  return Buffer.from(`${[...frontMatter, "", ...body].join("\n")}\n`, "utf8");
}

/** "org/name" of a path in the hub's cache, else the path; as the recipe says it, not as this machine resolves it. */
function hubName({ source }: RecordedInput): string {
  const repository = /(?:^|\/)models--([^/]+)\/snapshots\//.exec(`${source}/`)?.[1];
  return repository === undefined ? source : repository.replace("--", "/");
}

function code(text: string): string {
  const line = printable(text).replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}

function heading(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
}
