// Bundles the command line into dist/: theta.js, and beside it the parts that it loads when a command needs them, so that
// starting costs one small file. `--if-present` does nothing where the sources are not there. Runs as npm's `prepare`.

import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "runtime", "cli", "main.ts");
const dist = join(root, "dist");

if (!existsSync(entry)) {
  if (process.argv.includes("--if-present")) process.exit(0);
  fail(`${entry} is not there: the bundle is made in a checkout, an installed package already has it in dist/`);
}
const esbuild = await import("esbuild").catch(() => undefined);
if (esbuild === undefined) {
  // npm runs `prepare` also where development dependencies were left out on purpose; dist/ is then made elsewhere.
  if (process.env["npm_lifecycle_event"] !== "prepare") fail("esbuild is not installed; run: npm ci");
  console.log("theta is not bundled: esbuild is not installed");
  process.exit(0);
}

const { version } = readJson(join(root, "package.json"));
const options = {
  entryPoints: { theta: entry },
  outdir: dist,
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  // One flat folder: native/index.ts looks for theta.node from wherever the bundle put it.
  chunkNames: "theta-[name]-[hash]",
  platform: "node",
  target: "node20",
  format: "esm",
  // libsql finds its binary by its own path; typescript is asked for by cosmiconfig, for settings that theta refuses.
  external: ["libsql", "typescript"],
  define: { THETA_VERSION: JSON.stringify(version) },
  // What is CommonJS among the dependencies requires Node's modules.
  banner: {
    js: 'import { createRequire as thetaCreateRequire } from "node:module"; const require = thetaCreateRequire(import.meta.url);',
  },
  // Names stay: stack traces of users should be readable.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "warning",
};
// esbuild has said what is wrong; its exception would only say it again.
const { outputFiles, metafile } = await esbuild.build(options).catch(() => process.exit(1));

mkdirSync(dist, { recursive: true });
const ours = (name) => /^theta.*\.js$/.test(name) || name === "LICENSES.txt";
for (const name of readdirSync(dist).filter(ours)) rmSync(join(dist, name));
for (const { path, text } of outputFiles) {
  const isEntry = basename(path) === "theta.js";
  writeFileSync(path, isEntry ? `#!/usr/bin/env node\n${text}` : text);
  if (isEntry) chmodSync(path, 0o755);
}
writeFileSync(join(dist, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)));
const size = outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
console.log(`${join(dist, "theta.js")} bundled, ${outputFiles.length} files, ${Math.round(size / 1024)} KiB`);

/** The licences of the packages whose code is in the bundle, as they ask to be passed on. */
function licenses(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(join(root, match[1]));
  }
  return [...folders].sort().map(licenseOf).join("\n\n");
}

function licenseOf(folder) {
  const { name, version, license } = readJson(join(folder, "package.json"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined ? "(no licence file in the package)" : readFileSync(join(folder, file), "utf8").trim();
  return `==== ${name} ${version} (${license})\n\n${text}`;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
