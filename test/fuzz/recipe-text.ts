// Writes random recipes by the grammar and the method table. Most are accepted: names are declared, kinds fit, numbers
// mostly lie in their ranges. Wrong ones come from here one time in many, and from damage to the text.

import type { MethodRow, Parameter } from "../../compiler/methods/method-row.ts";
import { METHODS } from "../../compiler/methods/method-table.ts";
import type { Choices } from "./choices.ts";
import { ADAPTER_PATHS, LIBRARY, MODEL_PATHS } from "./recipe-sources.ts";

type Kind = "model" | "vector" | "mask" | "selector" | "number" | "strategy" | "list";

const rows = (maps: readonly MethodRow["maps"][]): readonly MethodRow[] =>
  [...METHODS.values()].filter((row) => maps.includes(row.maps) && row.notServed === undefined);
const ON_MODELS = rows(["models", "either"]);
const ON_VECTORS = rows(["vectors", "either"]);
const MASKS = rows(["mask"]);
const UNUSUAL = [...METHODS.values()].filter(({ notServed }) => notServed !== undefined);

const GLOBS = ["*", "*.mlp.*", "model.layers.{0,1}.*", "*norm*", "lm_head.*", "*embed_tokens*", "*[0-9].self_attn*"];
const BAD_GLOBS = ["{", "[", "nothing", "", "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "*".repeat(60)];
const NUMBERS = ["0.5", "1", "0", "0.2", "2", "1e-5", "3"];
const BAD_NUMBERS = ["1e308", "1e-320", "-1", "9007199254740993", "1 / 0", "true", '"x"', "5GB", "[1, 2]"];
const RANGES = ["0..2", "1..", "0..4", "-2..", "1..3"];
const BAD_RANGES = ["4..", "2..2", "0..99", "0..0.5", "-9..-8", "0..1e9"];
const DTYPES = ["bf16", "f32", "f16", "f64"];
const METRICS = ["finite", "norm < 9", "cosine(%) > 0.5", "distance(%) <= 3", "each changed(%) <= 0.5"];

/** Something lives between calls: the names that are declared so far, by kind. */
export class RecipeText {
  readonly #choices: Choices;
  readonly #names: Record<Kind, string[]> = {
    model: ["llama", "maths", "code"],
    vector: [],
    mask: [],
    selector: [],
    number: [],
    strategy: [],
    list: [],
  };
  /** Without the version. */
  readonly #statements = ['base llama = "llama"', 'model maths = "maths"', 'model code = "code"'];

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  write(): string {
    const { chance, list } = bound(this.#choices);
    list(0, 7, () => this.#declare());
    const result = this.#merge();
    if (chance(1, 4)) this.#statements.push(`expect ${result} {\n${list(1, 3, () => this.#gate()).join("\n")}\n}`);
    this.#output("dist/a", result);
    if (chance(1, 4))
      this.#output(chance(1, 8) ? "dist/a" : "dist/b", this.#expression(chance(1, 2) ? "model" : "vector", 2));
    return ["theta 1", ...this.#statements].join("\n") + "\n";
  }

  #declare(): void {
    const { below, pick, chance } = bound(this.#choices);
    const name = chance(1, 40) ? pick(["llama", "ties", "at", "x-y", "merge"]) : `_n${this.#statements.length}`;
    const put = (kind: Kind, text: string): void => {
      this.#statements.push(text);
      this.#names[kind].push(name);
    };
    switch (below(12)) {
      case 0:
        return put("vector", `vector ${name} = ${this.#expression("vector", 2)}`);
      case 1:
        return put("mask", `mask ${name} = ${this.#expression("mask", 2)}`);
      case 2:
        return put("selector", `mask ${name} = ${this.#expression("selector", 2)}`);
      case 3:
        return put("strategy", `strategy ${name} = ${this.#expression("strategy", 1)}`);
      case 4:
        return put("number", this.#parameter(name));
      case 5:
        return put("model", `model ${name} = "${pick(MODEL_PATHS)}"${this.#exceptions()}`);
      case 6:
        return put("vector", `adapter ${name} = "${pick(ADAPTER_PATHS)}" on ${this.#expression("model", 0)}`);
      case 7:
        return put("list", `models ${name} = ${pick(['["maths", "code"]', '"*ide"', '["llama"]', '"ma*"'])}`);
      case 8:
        this.#names.vector.push(`${name}.delta`);
        this.#names.mask.push(`${name}.trim`);
        this.#names.strategy.push(`${name}.vote`);
        this.#names.model.push(`${name}.tuned`);
        this.#statements.push(`import "${LIBRARY}" as ${name}${pick(["", "(density: 0.2)", "(density: 0.9)", "()"])}`);
        return;
      case 9:
        return put("model", `merge ${name} = ${this.#expression("model", 3)}`);
      default:
        this.#names.model.push(this.#merge());
    }
  }

  #parameter(name: string): string {
    const { pick } = bound(this.#choices);
    return `param ${name}: ${pick(["number", "number(min: 0, max: 2)", "integer", "number(above: 1)"])} = ${pick(["0.5", "1", "2", "0.5 * 2", "1 / 4"])}`;
  }

  #exceptions(): string {
    const { pick, chance } = bound(this.#choices);
    const settings = ["missing base", "nan zero", "resize common", "int base", "nan propagate", "extra skip"];
    return chance(1, 2) ? "" : ` {\n  ${pick(settings)}\n}`;
  }

  /** A merge block; returns its name. */
  #merge(): string {
    const { chance, list } = bound(this.#choices);
    const name = `_m${this.#statements.length}`;
    const onVectors = !chance(1, 5);
    const row = this.#choices.pick(onVectors ? ON_VECTORS : ON_MODELS);
    const inputs = this.#inputs(row, (kind) => this.#expression(kind, 1), "model");
    const entries = inputs.map((entry) => `  ${entry}${this.#clauses(row, onVectors, 0)}`);
    if (onVectors && chance(1, 3)) entries.unshift(`  each mask ${this.#expression("mask", 1)}`);
    for (const selector of list(0, 2, () => this.#expression("selector", 1))) {
      const inner = inputs.filter(() => chance(1, 2)).map((entry) => `    ${entry}${this.#clauses(row, onVectors, 1)}`);
      if (inner.length === 0) entries.push(`  at ${selector} keep ${this.#expression("model", 0)}`);
      else entries.push(`  at ${selector} {\n${inner.join("\n")}\n  }`);
    }
    const base = onVectors ? ` onto ${this.#expression("model", chance(1, 6) ? 1 : 0)}` : "";
    const using = onVectors && this.#names.strategy.length > 0 && chance(1, 4);
    const method = using ? this.#choices.pick(this.#names.strategy) : `${row.name}${this.#arguments(row, [])}`;
    this.#statements.push(`merge ${name}${base} using ${method} {\n${entries.join("\n")}\n}`);
    return name;
  }

  #clauses(row: MethodRow, onVectors: boolean, least: number): string {
    const { chance, list } = bound(this.#choices);
    const weighted = row.parameters.some((parameter) => "perInput" in parameter);
    const clause = weighted ? () => `weight ${this.#number(1)}` : () => `mask ${this.#expression("mask", 1)}`;
    const clauses = weighted || onVectors ? list(least, 1, clause) : [];
    if (onVectors && weighted && chance(1, 3)) clauses.push(`mask ${this.#expression("mask", 1)}`);
    if (clauses.length > 0 && chance(1, 8)) return ` {\n      ${clauses.join("\n      ")}\n    }`;
    return clauses.map((clause) => ` ${clause}`).join("");
  }

  #output(path: string, value: string): void {
    const { pick, chance, list } = bound(this.#choices);
    const settings = list(0, 2, () =>
      pick([
        `dtype ${pick(DTYPES)}`,
        `dtype match("*norm*": f32, else: ${pick(DTYPES)})`,
        `shard ${pick(["5GB", "1kB", "1MiB", "7GB"])}`,
        `overflow ${pick(["saturate", "inf", "error"])}`,
        `config ${pick(["maths", "llama"])}`,
        `tokenizer ${pick(["code", "llama"])}`,
      ]),
    );
    const kept = chance(1, 8) ? settings : [...new Map(settings.map((line) => [line.split(" ")[0], line])).values()];
    this.#statements.push(`output "${path}" = ${value}${kept.length === 0 ? "" : ` {\n  ${kept.join("\n  ")}\n}`}`);
  }

  #gate(): string {
    return this.#choices.pick(METRICS).replace("%", this.#expression("model", 1));
  }

  /** As many expressions as the method takes. */
  #inputs(row: MethodRow, make: (kind: Kind) => string, kind: Kind): string[] {
    const least = row.inputs?.min ?? 1;
    const most = row.inputs?.max ?? 3;
    const inputs = this.#choices.list(least, Math.max(least, most), () => make(kind));
    if (this.#choices.chance(1, 40)) inputs.push(make(kind));
    return [...new Set(inputs)].length < least ? ["maths", "code"].slice(0, least) : [...new Set(inputs)];
  }

  #expression(kind: Kind, depth: number): string {
    const { below, pick, chance } = bound(this.#choices);
    if (chance(1, 150)) return this.#wrong(depth);
    const names = this.#names[kind];
    if (names.length > 0 && (depth <= 0 || chance(1, 2))) return pick(names);
    const inner = (other: Kind): string => this.#expression(other, depth - 1);
    if (depth > 0 && kind !== "selector" && chance(1, 12)) return this.#match(() => inner(kind));
    switch (kind) {
      case "model":
        if (chance(1, 4)) return `${inner("model")} ${pick(["+", "-"])} ${inner("vector")}`;
        if (chance(1, 4)) return this.#stack(depth);
        return this.#call(pick(ON_MODELS), "model", depth);
      case "vector":
        if (depth <= 0 || below(3) === 0) return `(${pick(["maths", "code"])} - llama)`;
        return pick([
          () => this.#call(pick(ON_VECTORS), "vector", depth),
          () => `(${inner("vector")} & ${inner("mask")})`,
          () => `${this.#number(0)} * ${inner("vector")}`,
          () => `(${inner("vector")} ${pick(["+", "-"])} ${inner("vector")})`,
          () => `-${inner("vector")}`,
          () => `rebase(${inner("vector")}, ${inner("model")})`,
        ])();
      case "mask":
        if (depth <= 0 || chance(2, 3)) return this.#call(pick(MASKS), "mask", depth);
        return pick([
          () => inner("selector"),
          () => `(${inner("mask")} ${pick(["&", "|"])} ${inner("selector")})`,
          () => `!${inner("selector")}`,
        ])();
      case "selector":
        if (depth <= 0 || chance(2, 3)) return this.#selector();
        return pick([
          () => `(${inner("selector")} ${pick(["&", "|"])} ${inner("selector")})`,
          () => `!${inner("selector")}`,
        ])();
      case "strategy": {
        const row = pick(ON_VECTORS);
        return `${row.name}${this.#arguments(row, [])}`;
      }
      case "number":
        return this.#number(depth);
      case "list":
        return pick(this.#names.model);
    }
  }

  #wrong(depth: number): string {
    const { pick } = bound(this.#choices);
    const kinds: readonly Kind[] = ["model", "vector", "mask", "selector", "number", "strategy"];
    return pick([
      () => this.#expression(pick(kinds), depth - 1),
      () => pick(["nobody", "lib.x", "_n4", "ties", "match()", "ramp()", "stack()", "slice(llama)", "at", "5GB"]),
      () => pick(UNUSUAL).example.replace(/^.*= |^.*using | \{.*$/g, ""),
    ])();
  }

  #call(row: MethodRow, kind: Kind, depth: number): string {
    const inputs = kind === "mask" ? [] : this.#inputs(row, (of) => this.#expression(of, depth - 1), kind);
    return `${row.name}${this.#arguments(row, inputs) || "()"}`;
  }

  /** Empty without any. */
  #arguments(row: MethodRow, inputs: readonly string[]): string {
    const { chance } = bound(this.#choices);
    const given = row.parameters.flatMap((parameter) => {
      if ("perInput" in parameter && inputs.length === 0 && !chance(1, 60)) return [];
      const isOptional = "default" in parameter || "optional" in parameter || parameter.kind === "vector";
      return isOptional && !chance(1, 3) ? [] : [`${parameter.name}: ${this.#argument(parameter, inputs.length)}`];
    });
    if (chance(1, 80)) given.push(this.#choices.pick(["density: 0.5", "nothing: 1", "weight: 1", "1"]));
    const all = [...inputs, ...given];
    return all.length === 0 ? "" : `(${all.join(", ")})`;
  }

  #argument(parameter: Parameter, inputs: number): string {
    const { pick, chance } = bound(this.#choices);
    if (chance(1, 80)) return pick(BAD_NUMBERS);
    switch (parameter.kind) {
      case "number": {
        if ("perInput" in parameter) {
          return chance(1, 2)
            ? `[${Array.from({ length: inputs }, () => this.#number(1)).join(", ")}]`
            : this.#number(1);
        }
        const { range } = parameter;
        const fits = range.max !== undefined || range.below !== undefined ? ["0.5", "0.25", "0.1"] : ["0.5", "1", "2"];
        return chance(1, 20) ? this.#number(1) : pick(fits);
      }
      case "integer":
        return pick(["1", "2", "7", "100"]);
      case "word": {
        const words = parameter.words.filter((word) => !parameter.wordsNotServed?.has(word) || chance(1, 60));
        return chance(1, 8) ? this.#match(() => pick(words)) : pick(words);
      }
      case "boolean":
        return pick(["true", "false"]);
      case "vector":
        return this.#expression("vector", 0);
    }
  }

  #number(depth: number): string {
    const { below, pick, chance } = bound(this.#choices);
    if (chance(1, 80)) return pick(BAD_NUMBERS);
    const names = this.#names.number;
    if (names.length > 0 && chance(1, 3)) return pick(names);
    if (depth <= 0 || below(2) === 0) return pick(NUMBERS);
    return pick([
      () =>
        `ramp(${this.#choices.list(chance(1, 40) ? 1 : 2, 3, () => pick(NUMBERS)).join(", ")}${pick(["", ", over: 0..2", ", outside: 0.5"])})`,
      () => this.#match(() => this.#number(depth - 1)),
      () => `(${this.#number(depth - 1)} ${pick(["+", "-", "*", "/"])} ${this.#number(depth - 1)})`,
    ])();
  }

  #match(value: () => string): string {
    const { list, chance } = bound(this.#choices);
    const arms = list(1, 3, () => `${this.#selector()}: ${value()}`);
    if (!chance(1, 30)) arms.push(`else: ${value()}`);
    return `match(${arms.join(", ")})`;
  }

  #selector(): string {
    const { below, pick, chance } = bound(this.#choices);
    const bad = chance(1, 40);
    const glob = `"${pick(bad ? BAD_GLOBS : GLOBS)}"`;
    const form = below(3);
    if (form === 0) return glob;
    if (form === 1) return `layers(${pick(bad ? BAD_RANGES : RANGES)})`;
    return `tensors(${glob}${chance(1, 3) ? `, "${pick(GLOBS)}"` : ""})`;
  }

  #stack(depth: number): string {
    const { pick, list, chance } = bound(this.#choices);
    const slices = list(1, 3, () => {
      const model = this.#expression("model", depth - 1);
      return chance(1, 4) ? model : `slice(${model}, ${pick(chance(1, 20) ? BAD_RANGES : RANGES)})`;
    });
    return `stack(${slices.join(", ")}${chance(1, 12) ? ', stack: "model.layers"' : ""})`;
  }
}

/** The choices as functions. */
function bound(choices: Choices): Pick<Choices, "below" | "pick" | "chance" | "list"> {
  return {
    below: (count) => choices.below(count),
    pick: (from) => choices.pick(from),
    chance: (of, outOf) => choices.chance(of, outOf),
    list: (least, most, make) => choices.list(least, most, make),
  };
}
