// Finds and checks settings files: the project's (searched from the recipe's directory up to the project root) and the
// user's. JSON and YAML only: a settings file that is a program could do anything, so one is refused, not run.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { EXIT, Failure } from "../failure.ts";
import { CONFIG_SCHEMA, type ConfigFile } from "./config-schema.ts";

export interface LoadedConfig {
  readonly path: string;
  readonly config: ConfigFile;
}

const PLACES = [".thetarc", ".thetarc.json", ".thetarc.yaml", ".thetarc.yml", "theta.config.json", "package.json"];
const USER_PLACES = ["config.json", "config.yaml", "config.yml"];
const PROGRAMS = ["js", "cjs", "mjs", "ts", "cts", "mts"].flatMap((end) => [`.thetarc.${end}`, `theta.config.${end}`]);

/** @throws Failure (78) naming the file and the key. */
export async function loadConfigFiles(
  projectDirectory: string,
  explicit: string | undefined,
): Promise<{
  readonly project?: LoadedConfig;
  readonly user?: LoadedConfig;
}> {
  const userDirectory = join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "theta");
  const places = [...PLACES, ...PROGRAMS];
  // Mostly there are none, and then the search is not worth the time that loading its library takes.
  const none = explicit === undefined && !existsAbove(projectDirectory, places);
  if (none && !existsIn(userDirectory, USER_PLACES)) return {};
  // CommonJS: bundled, only the default export is there.
  const { cosmiconfig, defaultLoadersSync } = (await import("cosmiconfig")).default;
  const refuse = (path: string): never => {
    throw new Failure(EXIT.config, `${path}: settings are JSON or YAML, not a program`, {
      code: "config-is-a-program",
      help: "write them to .thetarc.json or theta.config.json",
    });
  };
  const loaders: Record<string, (path: string, text: string) => unknown> = {
    ".json": defaultLoadersSync[".json"],
    ".yaml": defaultLoadersSync[".yaml"],
    ".yml": defaultLoadersSync[".yaml"],
    noExt: defaultLoadersSync.noExt,
  };
  for (const end of ["js", "cjs", "mjs", "ts", "cts", "mts"]) loaders[`.${end}`] = refuse;
  const explorer = cosmiconfig("theta", {
    searchPlaces: places,
    searchStrategy: "project",
    loaders,
  });
  const userExplorer = cosmiconfig("theta", {
    searchPlaces: USER_PLACES,
    searchStrategy: "none",
    loaders,
  });
  const found = async (search: () => Promise<{ filepath: string; config: unknown; isEmpty?: boolean } | null>) => {
    try {
      const result = await search();
      if (result === null) return undefined;
      return { path: result.filepath, config: await checkConfig(result.filepath, result.config ?? {}) };
    } catch (error) {
      if (error instanceof Failure) throw error;
      const { message, filepath } = error as Error & { filepath?: string };
      throw new Failure(
        EXIT.config,
        `${filepath ?? explicit ?? projectDirectory}: settings cannot be read: ${message}`,
        {
          code: "config-unreadable",
          help: "settings are a JSON or YAML object with the keys store, threads, memory, device, color",
        },
      );
    }
  };
  const project = await found(() =>
    explicit === undefined ? explorer.search(projectDirectory) : explorer.load(resolve(explicit)),
  );
  const user = await found(() => userExplorer.search(userDirectory));
  return { ...(project && { project }), ...(user && { user }) };
}

/** In the directory or one above it. */
function existsAbove(directory: string, names: readonly string[]): boolean {
  return existsIn(directory, names) || (dirname(directory) !== directory && existsAbove(dirname(directory), names));
}

function existsIn(directory: string, names: readonly string[]): boolean {
  return names.some((name) => existsSync(join(directory, name)));
}

async function checkConfig(path: string, value: unknown): Promise<ConfigFile> {
  const { Ajv2020 } = (await import("ajv/dist/2020.js")).default;
  const validate = new Ajv2020({ allErrors: true }).compile<ConfigFile>(CONFIG_SCHEMA);
  if (validate(value)) return value;
  const keys = Object.keys(CONFIG_SCHEMA.properties);
  const facts = validate.errors!.map(({ instancePath, keyword, params, message }) => {
    const key = instancePath.slice(1).replaceAll("/", ".");
    const { additionalProperty, allowedValues } = params as { additionalProperty?: string; allowedValues?: string[] };
    if (keyword === "additionalProperties")
      return `${additionalProperty!}: no such setting; there are ${keys.join(", ")}`;
    if (keyword === "enum") return `${key}: must be one of ${allowedValues!.join(", ")}`;
    if (keyword === "pattern") return `${key}: must be a size, a number and a unit, such as 512MiB or 2GB`;
    return `${key === "" ? "the file" : key}: ${message!}`;
  });
  throw new Failure(EXIT.config, `${path}: the settings are not right`, { code: "config-invalid", facts });
}

/** A relative path in a settings file means relative to it. */
export function resolveAgainst(config: LoadedConfig, path: string): string {
  return resolve(dirname(config.path), path);
}
