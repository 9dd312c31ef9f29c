// What belongs to a model beside its weights and is carried over to an output: configuration, tokenizer, templates,
// code, licence. A closed list, so that no weights in another format and no training state travel along.

import type { Dtype, SourceProblem } from "../../compiler/checkpoint.ts";
import { printable } from "../../dsl/printable.ts";
import type { ConfigChange } from "../../compiler/tensor-graph.ts";
import { sortByBytes } from "./byte-order.ts";
import { torchDtypes, withDtype } from "./config-dtype.ts";
import { withChanges } from "./config-layers.ts";
import { CONFIG_FILE, readConfigText } from "./model-config.ts";
import { fail, orProblem } from "./problem.ts";
import { type OpenedFiles, type SourceFile, inside, kindOf, missing, namesIn, parentOf } from "./source-file.ts";

/** To be copied, links followed, or to be written as it stands. `name` may have a directory in front. */
export type SideFile =
  | {
      readonly name: string;
      readonly copyOf: string;
      /** `sha256:<hex>`: the copy must have it. */
      readonly digest?: string;
    }
  | { readonly name: string; readonly content: Uint8Array };

/** A checkpoint that gives side files: `path` of a directory or of one .safetensors file. */
export type SideFileDonor = Pick<SourceFile, "path" | "display">;

export interface SideFileDonors {
  readonly model: SideFileDonor;
  /** Gives all tokenizer files instead; the model's are left out. */
  readonly tokenizer?: SideFileDonor;
  /** Gives all others instead. */
  readonly config?: SideFileDonor;
}

/** Names of sideFiles(), none of which is read; undefined where they cannot be listed, which sideFiles() tells of. */
export function sideFileNames(donors: SideFileDonors, changes: readonly ConfigChange[]): readonly string[] | undefined {
  const files = orProblem(() => listed(donors, changes));
  return "kind" in files ? undefined : [...files.keys()];
}

/**
 * Sorted by name, by bytes. `bytes` are those of the output's tensors of each dtype; `changes` are made to the model's own
 * configuration. Every file read is added to `opened`.
 */
export function sideFiles(
  donors: SideFileDonors,
  bytes: ReadonlyMap<Dtype, number>,
  changes: readonly ConfigChange[],
  opened: OpenedFiles,
): readonly SideFile[] | SourceProblem {
  return orProblem(() => {
    const files: Map<string, SideFile> = listed(donors, changes);
    const dtypes = torchDtypes(bytes);
    if (files.has(CONFIG_FILE) && (dtypes !== undefined || changes.length > 0)) {
      const file = inside(sideFileFolder(donors.config ?? donors.model), CONFIG_FILE);
      const changed = withChanges(readConfigText(file, opened), changes, file.display);
      const corrected = dtypes === undefined ? changed : withDtype(changed, dtypes, file.display);
      files.set(CONFIG_FILE, { name: CONFIG_FILE, content: Buffer.from(corrected, "utf8") });
    }
    return sortByBytes([...files.keys()]).map((name) => files.get(name)!);
  });
}

/** As they lie there. Throws a SourceFailure. */
function listed(
  { model, tokenizer = model, config = model }: SideFileDonors,
  changes: readonly ConfigChange[],
): Map<string, Donated> {
  const files = new Map<string, Donated>();
  for (const file of donatedFiles(config, "model")) files.set(file.name, file);
  const tokenizerFiles = donatedFiles(tokenizer, "tokenizer");
  if (tokenizer !== model && tokenizerFiles.length === 0) {
    fail("source-format", `${printable(tokenizer.display)} holds no tokenizer files`);
  }
  for (const file of tokenizerFiles) files.set(file.name, file);
  // It repeats config.json for weights in a layout that is not written.
  if (changes.length > 0) files.delete("params.json");
  return files;
}

/** `tokenizer`: files of the tokenizer; `model`: all others. */
export type SideFileRole = "tokenizer" | "model";

/** The first that fits. Anything else stays behind: weights, indexes, training state, notes, version control. */
const NAMES: readonly (readonly [pattern: RegExp, role: SideFileRole])[] = [
  [/^tokenizer(?:_config)?\.json$/, "tokenizer"],
  [/^tokenizer\.model(?:\.v\d+)?$/, "tokenizer"],
  [/^(?:special_tokens_map|added_tokens|vocab|chat_template|tekken|tokenization_map)\.json$/, "tokenizer"],
  [/^(?:merges|vocab|bpe\.codes)\.txt$/, "tokenizer"],
  [/\.(?:jinja|spm|tiktoken)$/, "tokenizer"],
  [/^(?:spiece|sentencepiece(?:\.bpe)?|sentence_bpe)\.model$/, "tokenizer"],
  [/^tokenization_\w+\.py$/, "tokenizer"],
  [/^(?:config|generation_config|params|model_index)\.json$/, "model"],
  [/^(?:preprocessor|processor|image_processor|video_preprocessor|feature_extractor)(?:_config)?\.json$/, "model"],
  [
    /^(?:configuration|modeling|modular|processing|image_processing|video_processing|feature_extraction)_\w+\.py$/,
    "model",
  ],
  [/^(?:modules|sentence_bert_config|config_sentence_transformers|normalizer|scheduler_config)\.json$/, "model"],
  [/^(?:LICENSE|LICENCE|NOTICE|COPYING|USE_POLICY)(?:\.(?:txt|md))?$/i, "model"],
];

/** Directories whose files belong to the tokenizer. */
const TEMPLATE_DIRECTORY = "additional_chat_templates";

interface Donated {
  readonly name: string;
  readonly copyOf: string;
}

/** What a donor gives in that role, as it lies there. Throws a SourceFailure. */
export function donatedFiles(donor: SideFileDonor, role: SideFileRole): Donated[] {
  const directory = sideFileFolder(donor);
  const found: Donated[] = [];
  const add = (parent: SourceFile, name: string, file: string): void => {
    const source = inside(parent, file);
    const kind = kindOf(source);
    if (kind === undefined) missing(source);
    if (kind === "other") fail("source-not-a-file", `${source.display} is not a regular file`);
    if (kind === "file") found.push({ name, copyOf: source.path });
  };
  for (const name of namesIn(directory)) {
    if (NAMES.find(([pattern]) => pattern.test(name))?.[1] === role) add(directory, name, name);
    if (name !== TEMPLATE_DIRECTORY || role !== "tokenizer") continue;
    const templates = inside(directory, name);
    if (kindOf(templates) !== "directory") continue;
    for (const file of namesIn(templates)) {
      if (file.endsWith(".jinja")) add(templates, `${name}/${file}`, file);
    }
  }
  return found;
}

/** Where they lie. */
export function sideFileFolder({ path, display }: SideFileDonor): SourceFile {
  const source = { path, display: printable(display) };
  return kindOf(source) === "directory" ? source : parentOf(source);
}
