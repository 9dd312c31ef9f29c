// The same bits on every machine: no instruction in the addon may fuse a multiplication with an addition, or convert to
// bfloat16 by its own rules (they flush denormals). -ffp-contract=off says so to the compiler; this looks at what it did.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const addonPath = fileURLToPath(new URL("../../../build/Release/theta.node", import.meta.url));
const objdump = spawnSync("objdump", ["--version"]).status === 0;

const FORBIDDEN: Record<string, RegExp> = {
  x64: /\b(vfn?m(add|sub)\w*|vfmaddsub\w*|vfmsubadd\w*|vcvtne2?ps2bf16\w*|vdpbf16ps|tdp\w+)\b/g,
  arm64: /\b(fn?m(add|sub)|fml[as]l?2?|bfdot|bfmmla|bfcvtn?2?|bfmlal[bt])\b/g,
};

test.skipIf(!objdump)(`no fused and no bfloat16 instruction${objdump ? "" : " (skipped: no objdump)"}`, () => {
  const { stdout, status } = spawnSync("objdump", ["--disassemble", "--no-show-raw-insn", addonPath], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  expect(status).toBe(0);
  // It must have seen the code that it judges.
  const some = process.arch === "x64" ? /\bvmulps\b/ : /\bfmul\b/;
  expect(stdout).toMatch(some);
  const found = new Map<string, string>();
  let within = "";
  for (const line of stdout.split("\n")) {
    const symbol = /^[0-9a-f]+ <(.+)>:$/.exec(line);
    if (symbol) within = symbol[1]!;
    for (const [instruction] of line.matchAll(FORBIDDEN[process.arch]!)) found.set(`${instruction} in ${within}`, line);
  }
  expect([...found.keys()]).toEqual([]);
});
