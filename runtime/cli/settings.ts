// What a command runs with: flag before environment before project settings before user settings before default.

import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { EXIT, Failure } from "../failure.ts";
import type { Flags } from "./invocation.ts";
import { loadConfigFiles, resolveAgainst } from "./config-file.ts";
import { parseSize, SIZE_EXAMPLES } from "../size.ts";

export interface Settings {
  /** Absolute. */
  readonly store: string;
  readonly threads: number;
  /** Bytes that all tensor buffers together may take. */
  readonly memory: number;
  /** Bytes of an input read at a time. */
  readonly chunk: number;
  readonly color: "auto" | "always" | "never";
}

const DEFAULT_MEMORY = 320 * 2 ** 20;
const LEAST_MEMORY = 64 * 2 ** 20;
const DEFAULT_CHUNK = 2 ** 20;

/** @throws Failure (64 for a flag or variable, 78 for a settings file) naming what is wrong and where it was set. */
export async function loadSettings(flags: Flags, projectDirectory: string): Promise<Settings> {
  const { project, user } = await loadConfigFiles(projectDirectory, flags.config);
  const { env } = process;
  const variable = (name: string): string | undefined => env[name] || undefined;

  // The first place that says something decides; `where` is for the message when the value is wrong.
  const first = (flag: string | undefined, flagName: string, name: string, key: "threads" | "memory" | "device") => {
    if (flag !== undefined) return { text: flag, where: flagName, exit: EXIT.usage };
    const fromEnvironment = variable(name);
    if (fromEnvironment !== undefined) return { text: fromEnvironment, where: name, exit: EXIT.usage };
    for (const file of [project, user]) {
      const value = file?.config[key];
      if (value !== undefined) return { text: String(value), where: `${key} in ${file!.path}`, exit: EXIT.config };
    }
    return undefined;
  };

  const threads = first(flags.threads, "--threads", "THETA_THREADS", "threads");
  const memory = first(flags.memory, "--memory", "THETA_MEMORY", "memory");
  const device = first(flags.device, "--device", "THETA_DEVICE", "device");
  checkDevice(device);
  const chunk = variable("THETA_CHUNK");
  const color = flags.color ?? project?.config.color ?? user?.config.color ?? "auto";
  if (color !== "auto" && color !== "always" && color !== "never") {
    throw new Failure(EXIT.usage, `--color must be auto, always or never, not ${JSON.stringify(color)}`, {
      code: "usage",
    });
  }
  return {
    store: storePath(flags.store ?? variable("THETA_STORE"), [project, user], projectDirectory),
    threads: threads === undefined ? availableParallelism() : parseThreads(threads),
    memory: memory === undefined ? DEFAULT_MEMORY : parseBytes(memory, LEAST_MEMORY, "64MiB"),
    chunk:
      chunk === undefined
        ? DEFAULT_CHUNK
        : parseBytes({ text: chunk, where: "THETA_CHUNK", exit: EXIT.usage }, 4096, "4KiB"),
    color,
  };
}

interface Given {
  readonly text: string;
  readonly where: string;
  readonly exit: typeof EXIT.usage | typeof EXIT.config;
}

function parseThreads({ text, where, exit }: Given): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1024) return value;
  throw new Failure(exit, `${where} must be a whole number from 1 to 1024, not ${JSON.stringify(text)}`, {
    code: "threads-range",
  });
}

function parseBytes({ text, where, exit }: Given, least: number, leastText: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) {
    throw new Failure(exit, `${where} must be ${SIZE_EXAMPLES}, not ${JSON.stringify(text)}`, { code: "bad-size" });
  }
  if (bytes < least) {
    throw new Failure(exit, `${where} must be at least ${leastText}, not ${text}`, { code: "size-range" });
  }
  return bytes;
}

function checkDevice(device: Given | undefined): void {
  if (device === undefined || device.text === "auto" || device.text === "cpu") return;
  const message = /^cuda(:\d+)?$/.test(device.text)
    ? `${device.where} asks for ${device.text}, but this version of theta runs on the CPU only`
    : `${device.where} must be auto or cpu, not ${JSON.stringify(device.text)}`;
  throw new Failure(device.exit, message, { code: "no-such-device", help: "leave it out, or write --device cpu" });
}

function storePath(
  given: string | undefined,
  files: readonly (Awaited<ReturnType<typeof loadConfigFiles>>["project"] | undefined)[],
  projectDirectory: string,
): string {
  if (given !== undefined) return resolve(given);
  for (const file of files) if (file?.config.store !== undefined) return resolveAgainst(file, file.config.store);
  return join(projectDirectory, ".theta");
}
