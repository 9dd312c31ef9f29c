// Bundles the command line into dist/: theta.js, which starts the program beside it, and theta-compile.js, which keeps its code
// for this Node (runtime/start/). `--if-present` does nothing where the sources are not there. Runs as npm's `prepare`.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "runtime", "cli", "main.ts");
const dist = join(root, "dist");
const LIBC_FAMILY = join(root, "runtime/start/libc-family.ts");
const CHILD_PROCESS = join(root, "runtime/start/child-process.ts");

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
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  // Names stay: stack traces of users should be readable.
  minifyWhitespace: true,
  minifySyntax: true,
  // V8 reads one byte a character.
  charset: "ascii",
  legalComments: "none",
  write: false,
  logLevel: "warning",
};
// esbuild has said what is wrong; its exception would only say it again.
const bundled = (options) => esbuild.build({ ...common, ...options }).catch(() => process.exit(1));

// One function, which runtime/start/program.mjs calls: V8 keeps the code of scripts, not of modules.
const { outputFiles, metafile } = await bundled({
  entryPoints: { "theta-program": entry },
  outdir: dist,
  format: "cjs",
  // Asked for by cosmiconfig, for settings that theta refuses.
  external: ["typescript"],
  // By these libsql finds the name of its binary, and each has Node write a report on itself, which takes milliseconds.
  alias: { "@neon-rs/load": LIBC_FAMILY, "detect-libc": LIBC_FAMILY },
  plugins: [{ name: "child-process-for-commander", setup: giveCommanderChildProcess }],
  define: {
    THETA_VERSION: JSON.stringify(version),
    "import.meta.url": "thetaProgramUrl",
    "import.meta.dirname": "__dirname",
  },
  supported: { "dynamic-import": false },
  banner: {
    js:
      "(function (require, __filename, __dirname) { const module = { exports: {} }; " +
      'const thetaProgramUrl = require("node:url").pathToFileURL(__filename).href;',
  },
  footer: { js: "})" },
  metafile: true,
});
const start = await bundled({
  entryPoints: {
    theta: join(root, "runtime/start/theta.mjs"),
    "theta-compile": join(root, "runtime/start/compile.mjs"),
  },
  outdir: dist,
  // Node loads modules more slowly.
  format: "cjs",
  define: { "import.meta.dirname": "__dirname" },
});
outputFiles.push(...start.outputFiles);

mkdirSync(dist, { recursive: true });
const ours = (name) =>
  /^theta.*\.(?:js|code)(?:\.\d+)?$/.test(name) || name === "LICENSES.txt" || name === "package.json";
for (const name of readdirSync(dist).filter(ours)) rmSync(join(dist, name));
for (const { path, text } of outputFiles) {
  const isEntry = basename(path) === "theta.js";
  writeFileSync(path, isEntry ? `#!/usr/bin/env node\n${text}` : text);
  if (isEntry) chmodSync(path, 0o755);
}
writeFileSync(join(dist, "package.json"), '{"type": "commonjs"}\n');
writeFileSync(join(dist, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)));
spawnSync(process.execPath, [join(dist, "theta-compile.js")], { stdio: "inherit" });
const size = outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
console.log(`${join(dist, "theta.js")} bundled, ${outputFiles.length} files, ${Math.round(size / 1024)} KiB`);

/** Only to commander: it alone needs no more than is there. */
function giveCommanderChildProcess(build) {
  build.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
    importer.includes(join("node_modules", "commander")) ? { path: CHILD_PROCESS } : undefined,
  );
}

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
