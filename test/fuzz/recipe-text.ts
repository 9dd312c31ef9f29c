// Writes random recipes by the grammar and the method table. Most are accepted: names are declared, kinds fit, numbers
// mostly lie in their ranges. Wrong ones come from here one time in many, and from damage to the text.

import type { MethodRow, Parameter } from "../../compiler/methods/method-row.ts";
import type { Choices } from "./choices.ts";
import {
  BAD_GLOBS,
  BAD_NUMBERS,
  BAD_RANGES,
  DOUBLINGS,
  DTYPES,
  EVERY_MASK,
  GIVEN,
  GLOBS,
  MASKS,
  METRICS,
  NUMBERS,
  ON_MODELS,
  ON_VECTORS,
  RANGES,
  UNUSUAL,
  type Kind,
} from "./recipe-pieces.ts";
import { ADAPTER_PATHS, LIBRARY, MODEL_PATHS } from "./recipe-sources.ts";

/** Something lives between calls: the names that are declared so far, by kind. */
export class RecipeText {
  readonly #choices: Choices;
  readonly #names: Record<Kind, string[]> = {
    model: ["llama", "maths", "code"],
    vector: [],
    mask: [],
    element: [],
    selector: [],
    number: [],
    strategy: [],
    blend: [],
    list: [],
    path: ['"stored"'],
  };
  /** What the command line gives, as comments. */
  readonly #given: string[] = [];
  /** Without the version. */
  readonly #statements = ['base llama = "llama"', 'model maths = "maths"', 'model code = "code"'];

  /** Whether anything in it may be wrong on purpose; otherwise few recipes would be accepted. */
  readonly #mayErr: boolean;

  constructor(choices: Choices) {
    this.#choices = choices;
    this.#mayErr = choices.chance(1, 3);
  }

  #errs(outOf: number): boolean {
    return this.#mayErr && this.#choices.chance(1, outOf);
  }

  write(): string {
    const { chance, list, pick } = bound(this.#choices);
    list(0, 7, () => this.#declare());
    const result = this.#merge();
    if (chance(1, 4)) this.#statements.push(`expect ${result} {\n${list(1, 3, () => this.#gate()).join("\n")}\n}`);
    this.#output("dist/a", result);
    if (chance(1, 4))
      this.#output(this.#errs(8) ? "dist/a" : "dist/b", this.#expression(chance(1, 2) ? "model" : "vector", 2));
    if (this.#errs(12)) this.#given.push(`# -p ${pick(["x", "llama", "lib.density", "_n3", " "])}=${pick(GIVEN)}`);
    return [...this.#given, "theta 1", ...this.#statements].join("\n") + "\n";
  }

  #declare(): void {
    const { below, pick } = bound(this.#choices);
    const name = this.#errs(40) ? pick(["llama", "ties", "at", "x-y", "merge"]) : `_n${this.#statements.length}`;
    const put = (kind: Kind, text: string): void => {
      this.#statements.push(text);
      this.#names[kind].push(name);
    };
    switch (below(17)) {
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
      case 10:
        return put("blend", `strategy ${name} = ${this.#expression("blend", 1)}`);
      case 11: {
        const paths = ["stored", "llama", "maths", ""];
        return put(
          "path",
          `param ${name}: string${this.#value(name, `"${pick(paths)}"`, [...paths, "é \t\u202e", "x".repeat(5000)])}`,
        );
      }
      case 12:
        return put("vector", `vector ${name} = ${pick(this.#names.path)} on ${this.#expression("model", 0)}`);
      case 13:
      case 14:
        return this.#double();
      default:
        this.#names.model.push(this.#merge());
    }
  }

  /** Names of which each mentions the one before twice. */
  #double(): void {
    const { pick, list } = bound(this.#choices);
    const [kind, word, make] = pick(DOUBLINGS);
    let name = this.#expression(kind, 0);
    list(1, 12, (level) => {
      const next = `_d${this.#statements.length}_${level}`;
      this.#statements.push(`${word} ${next} = ${make(name)}`);
      name = next;
    });
    this.#names[kind === "element" ? "mask" : kind].push(name);
  }

  #parameter(name: string): string {
    const { pick } = bound(this.#choices);
    const fits = [
      ["number(min: 0, max: 2)", "0.5 * 2"],
      ["number", "1 / 4"],
      ["integer", "2"],
      ["number", "1"],
    ];
    const wrong = [
      ["number(above: 1)", "0.5"],
      ["integer", "0.5"],
      ["size", "1"],
    ];
    const [kind = "", value = ""] = pick(this.#errs(8) ? wrong : fits);
    return `param ${name}: ${kind}${this.#value(name, value, this.#errs(4) ? GIVEN : ["1", "2", "4 / 2 - 1"])}`;
  }

  /** The default, unless the command line gives a value; both, sometimes. */
  #value(name: string, value: string, others: readonly string[]): string {
    const { pick, chance } = bound(this.#choices);
    if (chance(2, 3)) return ` = ${value}`;
    if (!this.#errs(12)) this.#given.push(`# -p ${name}=${pick(others)}`);
    return chance(1, 2) ? "" : ` = ${value}`;
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
    for (const selector of list(0, 2, () => list(1, 2, () => this.#expression("selector", 1)).join(", "))) {
      const isStated = onVectors || isWeighted(row);
      const stating = isStated ? inputs.filter(() => chance(1, 2)) : [];
      const inner = stating.map((entry) => `    ${entry}${this.#clauses(row, onVectors, 1)}`);
      if (inner.length === 0) entries.push(`  at ${selector} keep ${this.#expression("model", 0)}`);
      else entries.push(`  at ${selector} {\n${inner.join("\n")}\n  }`);
    }
    const base = onVectors ? ` onto ${this.#expression("model", chance(1, 6) ? 1 : 0)}` : "";
    const strategies = onVectors ? this.#names.strategy : this.#names.blend;
    const using = strategies.length > 0 && chance(1, 3);
    const method = using ? this.#choices.pick(strategies) : `${row.name}${this.#arguments(row, [])}`;
    this.#statements.push(`merge ${name}${base} using ${method} {\n${entries.join("\n")}\n}`);
    return name;
  }

  #clauses(row: MethodRow, onVectors: boolean, least: number): string {
    const { chance, list } = bound(this.#choices);
    const weighted = isWeighted(row);
    const clause = weighted ? () => `weight ${this.#number(1)}` : () => `mask ${this.#expression("mask", 1)}`;
    const clauses = weighted || onVectors ? list(least, 1, clause) : [];
    if (onVectors && weighted && chance(1, 3)) clauses.push(`mask ${this.#expression("mask", 1)}`);
    if (clauses.length > 0 && chance(1, 8)) return ` {\n      ${clauses.join("\n      ")}\n    }`;
    return clauses.map((clause) => ` ${clause}`).join("");
  }

  #output(path: string, value: string): void {
    const { pick, list } = bound(this.#choices);
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
    const kept = this.#errs(8) ? settings : [...new Map(settings.map((line) => [line.split(" ")[0], line])).values()];
    this.#statements.push(`output "${path}" = ${value}${kept.length === 0 ? "" : ` {\n  ${kept.join("\n  ")}\n}`}`);
  }

  #gate(): string {
    return this.#choices.pick(METRICS).replace("%", this.#expression("model", 1));
  }

  /** As many expressions as the method takes. */
  #inputs(row: MethodRow, make: (kind: Kind) => string, kind: Kind): string[] {
    const least = row.inputs?.min ?? 1;
    const most = row.inputs?.max ?? 3;
    const { list } = this.#names;
    const one = (): string =>
      kind === "model" && list.length > 0 && this.#choices.chance(1, 6) ? this.#choices.pick(list) : make(kind);
    const inputs = this.#choices.list(least, Math.max(least, most), one);
    if (this.#errs(40)) inputs.push(make(kind));
    return [...new Set(inputs)].length < least ? ["maths", "code"].slice(0, least) : [...new Set(inputs)];
  }

  #expression(kind: Kind, depth: number): string {
    const { below, pick, chance } = bound(this.#choices);
    if (this.#errs(100)) return this.#wrong(depth);
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
          () => `(${inner("mask")} ${this.#errs(4) ? "|" : "&"} ${inner("selector")})`,
          () => `(${EVERY_MASK} | ${inner("selector")})`,
          () => `!${inner("selector")}`,
        ])();
      case "element":
        return EVERY_MASK;
      case "selector":
        if (depth <= 0 || chance(2, 3)) return this.#selector();
        return pick([
          () => `(${inner("selector")} ${pick(["&", "|"])} ${inner("selector")})`,
          () => `!${inner("selector")}`,
        ])();
      case "strategy":
      case "blend": {
        const row = pick(kind === "strategy" ? ON_VECTORS : ON_MODELS);
        return `${row.name}${this.#arguments(row, [])}`;
      }
      case "number":
        return this.#number(depth);
      case "list":
        return pick(this.#names.model);
      case "path":
        return pick(this.#names.path);
    }
  }

  #wrong(depth: number): string {
    const { pick } = bound(this.#choices);
    const kinds: readonly Kind[] = ["model", "vector", "mask", "selector", "number", "strategy", "blend", "path"];
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
      if ("perInput" in parameter && inputs.length === 0 && !this.#errs(60)) return [];
      const isOptional = "default" in parameter || "optional" in parameter || parameter.kind === "vector";
      return isOptional && !chance(1, 3) ? [] : [`${parameter.name}: ${this.#argument(parameter, inputs.length)}`];
    });
    if (this.#errs(80)) given.push(this.#choices.pick(["density: 0.5", "nothing: 1", "weight: 1", "1"]));
    const all = [...inputs, ...given];
    return all.length === 0 ? "" : `(${all.join(", ")})`;
  }

  #argument(parameter: Parameter, inputs: number): string {
    const { pick, chance } = bound(this.#choices);
    if (this.#errs(80)) return pick(BAD_NUMBERS);
    switch (parameter.kind) {
      case "number": {
        if ("perInput" in parameter) {
          return chance(1, 2)
            ? `[${Array.from({ length: inputs }, () => this.#number(1)).join(", ")}]`
            : this.#number(1);
        }
        const { range } = parameter;
        const isShare = range.max !== undefined || range.below !== undefined;
        const shares = parameter.name === "density" ? ["0.5", "0.25", "0.75"] : ["0.1", "0.05", "0.2"];
        const fits = isShare ? shares : ["0.5", "1", "2"];
        return this.#errs(10) ? this.#number(1) : pick(fits);
      }
      case "integer":
        return pick(["1", "2", "7", "100"]);
      case "word": {
        const words = parameter.words.filter((word) => !parameter.wordsNotServed?.has(word) || this.#errs(60));
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
    if (this.#errs(80)) return pick(BAD_NUMBERS);
    const names = this.#names.number;
    if (names.length > 0 && chance(1, 3)) return pick(names);
    if (depth <= 0 || below(2) === 0) return pick(NUMBERS);
    return pick([
      () =>
        `ramp(${this.#choices.list(this.#errs(40) ? 1 : 2, 3, () => pick(NUMBERS)).join(", ")}${pick(["", ", over: 0..2", ", outside: 0.5"])})`,
      () => this.#match(() => this.#number(depth - 1)),
      () => `(${this.#number(depth - 1)} ${pick(["+", "-", "*", "/"])} ${this.#number(depth - 1)})`,
    ])();
  }

  #match(value: () => string): string {
    const { list } = bound(this.#choices);
    const arms = list(1, 3, () => `${this.#selector()}: ${value()}`);
    if (!this.#errs(30)) arms.push(`else: ${value()}`);
    return `match(${arms.join(", ")})`;
  }

  #selector(): string {
    const { below, pick, chance } = bound(this.#choices);
    const bad = this.#errs(40);
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
      return chance(1, 4) ? model : `slice(${model}, ${pick(this.#errs(20) ? BAD_RANGES : RANGES)})`;
    });
    return `stack(${slices.join(", ")}${chance(1, 12) ? ', stack: "model.layers"' : ""})`;
  }
}

function isWeighted({ parameters }: MethodRow): boolean {
  return parameters.some((parameter) => "perInput" in parameter);
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
