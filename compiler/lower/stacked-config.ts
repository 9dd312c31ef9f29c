// What a stack of layers changes in the donor's config.json: how many layers there are, and what each of them is. A
// configuration that cannot say it is an error, because the model would load and compute something else.

import type { LayerSetting } from "../checkpoint.ts";
import { donorOf } from "../graph-walk.ts";
import type { Headers } from "../headers.ts";
import type { LayerOrigin, Layout } from "../layout.ts";
import type { CheckpointNode, ModelNode, OutputNode } from "../recipe-graph.ts";
import type { ConfigChange } from "../tensor-graph.ts";
import type { TensorProblems } from "./tensor-problems.ts";

/** One stack of layers in the configuration of the donor. */
interface Stacked {
  readonly output: OutputNode;
  readonly made: ModelNode;
  readonly stack: string;
  readonly origins: readonly LayerOrigin[];
  readonly donor: CheckpointNode;
  readonly headers: Headers;
  readonly problems: TensorProblems;
}

/** `made`: the model that the output is. Nothing for one that stacks no layers, and without a config.json. */
export function configChanges(
  made: ModelNode,
  output: OutputNode,
  headers: Headers,
  problems: TensorProblems,
): readonly ConfigChange[] {
  const donor = donorOf(made);
  const layout: Layout = headers.layout(made);
  return [...layout.stacked].flatMap(([stack, origins]) => {
    const stacked: Stacked = { output, made, stack, origins, donor, headers, problems };
    return output.config === undefined ? changesOf(stacked) : checkNamed(stacked, output.config);
  });
}

/** A configuration that the recipe names is taken as it stands, so it must speak of as many layers. */
function checkNamed(stacked: Stacked, config: CheckpointNode): readonly [] {
  const { headers, stack, origins } = stacked;
  const { layers } = headers.model(config).config;
  if (layers === undefined || countsFor(layers, stack, origins.length, true).length > 0) return [];
  const message = `config.json of ${config.name} does not say that there are ${origins.length} layers, which ${stack} of the output has`;
  return refuse(stacked, message, "leave the setting out, and the donor's configuration is changed to say so");
}

function changesOf(stacked: Stacked): readonly ConfigChange[] {
  const { headers, stack, origins, donor } = stacked;
  const { layers: settings } = headers.model(donor).config;
  if (settings === undefined) return [];
  const { stacks } = headers.naming(donor);
  const old = stacks.get(stack)!;
  const counts = countsFor(settings, stack, old, stacks.size === 1);
  if (counts.length === 0) {
    const message = `config.json of ${donor.name} does not say that ${stack} has ${old} layers, so it cannot be made to say ${origins.length}`;
    return refuse(stacked, message, "name a configuration in the output's block: config M");
  }
  const sharing = sharingStack(counts, settings, stacked);
  if (sharing !== undefined) {
    const message = `config.json of ${donor.name} counts the layers of ${stack} and of ${sharing} by one number, ${textOf(counts[0]!)}, so it cannot be made to say ${origins.length} for ${stack} alone`;
    return refuse(stacked, message, "name a configuration in the output's block: config M");
  }
  const parts = new Set(counts.map(partOf));
  const changes = counts.map(({ path }) => ({ path, json: String(origins.length) }));
  for (const setting of settings) {
    if (setting.says.kind === "count" || !parts.has(partOf(setting))) continue;
    if (setting.says.kind === "each" && setting.says.elements.length !== old) continue;
    const json = changed(setting, stacked);
    if (json !== undefined) changes.push({ path: setting.path, json });
  }
  checkUnknownToDonor(settings, parts, stacked);
  return changes.filter(({ path, json }) => json !== jsonOf(settingAt(settings, path)!));
}

/** Another stack whose layers the same settings count, and of which the output has another number. */
function sharingStack(
  counts: readonly LayerSetting[],
  settings: readonly LayerSetting[],
  { stack, origins, donor, headers, made }: Stacked,
): string | undefined {
  const { stacks } = headers.naming(made);
  for (const [other, layers] of headers.naming(donor).stacks) {
    if (other === stack || stacks.get(other) === origins.length) continue;
    if (countsFor(settings, other, layers, false).some((setting) => counts.includes(setting))) return other;
  }
  return undefined;
}

function partOf({ path }: LayerSetting): string {
  return JSON.stringify(path.slice(0, -1));
}

function settingAt(settings: readonly LayerSetting[], path: readonly string[]): LayerSetting | undefined {
  const key = JSON.stringify(path);
  return settings.find((setting) => JSON.stringify(setting.path) === key);
}

const SIDES = [/vision|visual|image|vit/, /audio|speech/];

/** The settings that count the layers of this stack: those with its number, of its side of the model. */
function countsFor(
  settings: readonly LayerSetting[],
  stack: string,
  layers: number,
  isOnly: boolean,
): readonly LayerSetting[] {
  const equal = settings.filter(({ says }) => says.kind === "count" && says.layers === layers);
  const own = equal.filter(({ path }) => SIDES.every((side) => side.test(path.join(".")) === side.test(stack)));
  const ofSide = own.length === 0 && isOnly ? equal : own;
  const isOfDecoder = ({ path }: LayerSetting): boolean => path.at(-1)!.includes("decoder");
  if (stack.includes("decoder") && ofSide.some(isOfDecoder)) return ofSide.filter(isOfDecoder);
  return isOnly ? ofSide : ofSide.filter((setting) => !isOfDecoder(setting));
}

/** The new JSON text of a setting; undefined when there is none that is right, which was reported. */
function changed(setting: LayerSetting, stacked: Stacked): string | undefined {
  const { origins, headers, donor } = stacked;
  const theirs = new Map<CheckpointNode, LayerSetting["says"] | undefined>();
  for (const { node } of origins) {
    const settings = headers.model(node).config.layers ?? [];
    theirs.set(node, node === donor ? setting.says : settingAt(settings, setting.path)?.says);
  }
  const kinds = origins.map((origin) => kindOf(theirs.get(origin.node), origin, stacked));
  const stray = origins.findIndex(
    ({ node }, layer) => kinds[layer] === undefined || theirs.get(node)?.kind !== setting.says.kind,
  );
  if (stray !== -1) return refuseAt(stray, setting, stacked);
  const wanted = kinds as readonly string[];
  switch (setting.says.kind) {
    case "count":
      return undefined;
    case "each":
      return `[${wanted.join(", ")}]`;
    case "numbers":
      return `[${wanted.flatMap((kind, layer) => (kind === SPECIAL ? [layer] : [])).join(", ")}]`;
    case "period": {
      const { every } = setting.says;
      const moved = wanted.findIndex((kind, layer) => kind !== remainder(layer, every));
      return moved === -1 ? String(every) : refuseAt(moved, setting, stacked);
    }
    case "edge": {
      const special = wanted.filter((kind) => kind === SPECIAL).length;
      const from = setting.says.fromEnd ? wanted.length - special : 0;
      const moved = wanted.findIndex((kind, layer) => (kind === SPECIAL) !== (layer >= from && layer < from + special));
      return moved === -1 ? String(special) : refuseAt(moved, setting, stacked);
    }
  }
}

const SPECIAL = "special";
const PLAIN = "plain";

/** What a layer is by the configuration of the model that it comes from. */
function kindOf(says: LayerSetting["says"] | undefined, { node, layer }: LayerOrigin, { headers, stack }: Stacked) {
  switch (says?.kind) {
    case "each":
      return says.elements[layer];
    case "numbers":
      return says.layers.includes(layer) ? SPECIAL : PLAIN;
    case "period":
      return remainder(layer, says.every);
    case "edge": {
      const layers = headers.naming(node).stacks.get(stack)!;
      const isSpecial = says.fromEnd ? layer >= layers - says.layers : layer < says.layers;
      return isSpecial ? SPECIAL : PLAIN;
    }
    case "count":
    case undefined:
      return undefined;
  }
}

function remainder(layer: number, every: number): string {
  return `${layer % every} of ${every}`;
}

/** What only the configuration of another model says of its layers would be lost. */
function checkUnknownToDonor(settings: readonly LayerSetting[], parts: ReadonlySet<string>, stacked: Stacked): void {
  const { origins, donor, headers } = stacked;
  for (const node of new Set(origins.map((origin) => origin.node))) {
    for (const setting of headers.model(node).config.layers ?? []) {
      if (setting.says.kind === "count" || !parts.has(partOf(setting))) continue;
      if (setting.says.kind === "numbers" && setting.says.layers.length === 0) continue;
      if (settingAt(settings, setting.path) !== undefined) continue;
      const message = `config.json of ${node.name} says ${textOf(setting)} of its layers, and that of ${donor.name}, which the output takes, does not`;
      refuse(
        stacked,
        message,
        "stack models that agree on it, or name a configuration in the output's block: config M",
      );
    }
  }
}

function refuseAt(layer: number, setting: LayerSetting, stacked: Stacked): undefined {
  const { origins, donor, stack } = stacked;
  const origin = origins[layer]!;
  refuse(
    stacked,
    `config.json of ${donor.name} says ${textOf(setting)}, by which ${stack}.${layer} would be another layer than it was as layer ${origin.layer} of ${origin.node.name}`,
    "take slices that keep it, or name a configuration in the output's block: config M",
  );
  return undefined;
}

function textOf(setting: LayerSetting): string {
  const text = jsonOf(setting);
  return `${setting.path.join(".")} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
}

function jsonOf({ says }: LayerSetting): string {
  switch (says.kind) {
    case "count":
    case "edge":
      return String(says.layers);
    case "each":
      return `[${says.elements.join(", ")}]`;
    case "numbers":
      return `[${says.layers.join(", ")}]`;
    case "period":
      return String(says.every);
  }
}

function refuse({ output, problems }: Stacked, message: string, help: string): readonly [] {
  problems.add("stack-config", output, () => ({ message, span: output.span, help }));
  return [];
}
