// Finds settings files: the project's (searched from the recipe's directory up to the project root) and the user's.

import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { EXIT, Failure } from "../failure.ts";
import { typeInWords } from "../file-type.ts";
import { checkConfig } from "./check-config.ts";
import type { ConfigFile } from "./config-schema.ts";
import { PROGRAM_ENDS, SETTINGS_HELP, settingsLoaders } from "./parse-config.ts";

interface LoadedConfig {
  readonly path: string;
  readonly config: ConfigFile;
}

const PLACES = [".thetarc", ".thetarc.json", ".thetarc.yaml", ".thetarc.yml", "theta.config.json", "package.json"];
/** Where cosmiconfig ends a search, too. */
const PROJECT_MARKS = ["package.json", "package.yaml"];
const USER_PLACES = ["config.json", "config.yaml", "config.yml"];
const PROGRAMS = PROGRAM_ENDS.flatMap((end) => [`.thetarc${end}`, `theta.config${end}`]);

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
  const candidates = [
    ...(explicit === undefined ? thereAbove(projectDirectory, places) : [explicit]),
    ...thereIn(userDirectory, USER_PLACES),
  ];
  if (candidates.length === 0) return {};
  candidates.forEach(refuseOther);
  const { cosmiconfig } = (await import("cosmiconfig")).default; // CommonJS: bundled, only the default export is there.
  const loaders = await settingsLoaders();
  const [explorer, userExplorer] = withoutMetaSettings(() => [
    cosmiconfig("theta", { searchPlaces: places, searchStrategy: "project", loaders }),
    cosmiconfig("theta", { searchPlaces: USER_PLACES, searchStrategy: "none", loaders }),
  ]);
  const found = async (file: string, search: () => Promise<{ filepath: string; config: unknown } | null>) => {
    try {
      const result = await search();
      return result === null ? undefined : { path: result.filepath, config: await checkConfig(result) };
    } catch (error) {
      throw error instanceof Failure ? error : unreadable(file, error);
    }
  };
  const project = await found(explicit ?? projectDirectory, () =>
    explicit === undefined ? explorer.search(projectDirectory) : explorer.load(resolve(explicit)),
  );
  const user = await found(userDirectory, () => userExplorer.search(userDirectory));
  return { ...(project && { project }), ...(user && { user }) };
}

/**
 * While an explorer is made, cosmiconfig looks for settings of its own in the working directory, and runs those that are
 * JavaScript. There are none beside this program.
 */
function withoutMetaSettings<T>(makeExplorers: () => T): T {
  const workingDirectory = process.cwd();
  process.chdir(import.meta.dirname);
  try {
    return makeExplorers();
  } finally {
    process.chdir(workingDirectory);
  }
}

function unreadable(file: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === "ENOENT"
      ? "there is no such file"
      : /^No loader/.test(message)
        ? "settings are JSON or YAML files"
        : message;
  const details = { code: "config-unreadable", help: SETTINGS_HELP } as const;
  return new Failure(EXIT.config, `${file}: ${why}`, details, error);
}

/** In the directory or those above it, up to the project's. */
function thereAbove(directory: string, names: readonly string[]): readonly string[] {
  const there = thereIn(directory, names);
  const isLast = dirname(directory) === directory || thereIn(directory, PROJECT_MARKS).length > 0;
  return isLast ? there : [...there, ...thereAbove(dirname(directory), names)];
}

function thereIn(directory: string, names: readonly string[]): readonly string[] {
  return names.map((name) => join(directory, name)).filter((path) => existsSync(path));
}

/** Reading a pipe or a device may never end, and a directory would be passed over. What else is wrong is found by reading. */
function refuseOther(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return;
  throw new Failure(EXIT.config, `${path}: this is ${typeInWords(stat)}, not a file`, {
    code: "config-unreadable",
    help: SETTINGS_HELP,
  });
}

/** A relative path in a settings file means relative to it. */
export function resolveAgainst(config: LoadedConfig, path: string): string {
  return resolve(dirname(config.path), path);
}
