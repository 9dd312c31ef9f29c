// Formats the C++ of native/ and test/native/ with the clang-format of the development dependencies, so that everyone has the
// same version; `--check` only names what differs, and exits 1.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes("--check");
const manifest = createRequire(import.meta.url).resolve("clang-format/package.json");
const program = join(dirname(manifest), "index.js");

const files = ["native", "test/native"]
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)))
  .filter((file) => /\.(h|cpp|cu)$/.test(file))
  .sort();

const options = check ? ["--dry-run", "--Werror"] : ["-i"];
const { status, stderr, error } = spawnSync(process.execPath, [program, "--style=file", ...options, ...files], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
});
if (error) throw error;
if (status !== 0 && check) {
  const wrong = new Set([...stderr.matchAll(/^(.+?):\d+:\d+: error/gm)].map((match) => relative(root, match[1])));
  console.error(wrong.size === 0 ? stderr : `not formatted (npm run format):\n  ${[...wrong].join("\n  ")}`);
}
process.exitCode = status === 0 ? 0 : 1;
