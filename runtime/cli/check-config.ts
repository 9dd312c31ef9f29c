// A value out of a settings file, held against the schema; what is wrong is said key by key.

import { didYouMean } from "../../dsl/did-you-mean.ts";
import { EXIT, Failure } from "../failure.ts";
import { CONFIG_SCHEMA, type ConfigFile } from "./config-schema.ts";

const TAKES: Readonly<Record<keyof typeof CONFIG_SCHEMA.properties, string>> = {
  store: "a path",
  threads: "a whole number from 1 to 1024",
  memory: 'a size, such as "512MiB" or "2GB"',
  device: "auto or cpu",
  color: "auto, always or never",
};

/** @throws Failure (78) naming the file and each key */
export async function checkConfig(file: { readonly filepath: string; readonly config: unknown }): Promise<ConfigFile> {
  const value = file.config ?? {};
  const { Ajv2020 } = (await import("ajv/dist/2020.js")).default;
  const validate = new Ajv2020({ allErrors: true, verbose: true }).compile<ConfigFile>(CONFIG_SCHEMA);
  if (validate(value)) return value;
  const facts = validate.errors!.map(({ instancePath, keyword, params, data }) => {
    if (keyword === "additionalProperties") {
      return describeUnknown((params as { readonly additionalProperty: string }).additionalProperty);
    }
    const key = instancePath.slice(1);
    return isSetting(key)
      ? `${key}: takes ${TAKES[key]}, not ${describe(data)}`
      : `takes an object, not ${describe(data)}`;
  });
  throw new Failure(EXIT.config, `${file.filepath}: theta does not understand these settings`, {
    code: "config-invalid",
    facts: [...new Set(facts)],
  });
}

function isSetting(key: string): key is keyof typeof TAKES {
  return Object.hasOwn(TAKES, key);
}

function describeUnknown(key: string): string {
  const near = didYouMean(key, Object.keys(TAKES));
  const help = near === undefined ? `settings are ${Object.keys(TAKES).join(", ")}` : `did you mean ${near}?`;
  return `${key.slice(0, 80)}: no such setting; ${help}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : JSON.stringify(value).slice(0, 80);
}
