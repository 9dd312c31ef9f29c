// Gates that compare with a merge that statistics of the whole model are part of: it is what the same merge writes.

import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { predicateText } from "../../../compiler/predicates.ts";
import { f32, type TestTensor } from "../../support/tensors.ts";
import { buildText, planText, type Built } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

const SIZES = { "embed.weight": 600, "layers.0.w": 400, "layers.1.w": 400, "norm.weight": 20, scale: 1 } as const;

function model(seed: number, odd = 0): Record<string, TestTensor> {
  let state = seed;
  const next = (): number => Math.fround((state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5);
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, size]) => {
      const values = Array.from({ length: size }, next);
      if (name === "layers.0.w") values[3]! += odd;
      return [name, f32(name === "scale" ? [] : [size], values)];
    }),
  );
}

const space = useWorkspace((space) => {
  space.write("base", model(1));
  space.write("maths", model(2));
  space.write("code", model(3));
});

const HEAD = 'theta 1\nbase llama = "base"\nmodel maths = "maths"\nmodel code = "code"\n';
const PLAIN = "merge plain onto llama using sum(scale: 0.5) {\n  maths\n  code\n}\n";
const TRIMMED = `merge trimmed onto llama using ties {
  each mask magnitude(density: 0.2, per: model)
  maths
  code
}
`;
const LINES = "merge lined = llama + lines(maths - llama, beta: 0.5, like: code - llama)\n";
const METRICS = ["cosine", "distance", "changed", "each distance"];

const gatesOn = (other: string): string => METRICS.map((metric) => `  ${metric}(${other}) >= 0\n`).join("");
const expectOn = (...others: readonly string[]): string =>
  `output "out/plain" = plain\nexpect plain {\n${others.map(gatesOn).join("")}}\n`;
const values = ({ gates }: Built): readonly number[] => gates.map(({ value }) => value);

test("is compared with as if it were stored", async () => {
  const got = await buildText(space.root, HEAD + PLAIN + TRIMMED + LINES + expectOn("trimmed", "lined"));
  expect(got).toMatchObject({ status: "done", diagnostics: [], statistics: { run: 4 } });
  rmSync(space.path(".theta"), { recursive: true });
  await buildText(space.root, `${HEAD}${TRIMMED}${LINES}output "out/trimmed" = trimmed\noutput "out/lined" = lined\n`);
  const stored = 'model trimmed = "out/trimmed"\nmodel lined = "out/lined"\n';
  const expected = await buildText(space.root, HEAD + PLAIN + stored + expectOn("trimmed", "lined"));
  expect(values(got)).toEqual(values(expected));
  expect(new Set(values(got)).size).toBeGreaterThan(5);
});

test("is measured once, and again where a cut reaches other elements", async () => {
  const text = HEAD + PLAIN + TRIMMED + expectOn("trimmed");
  const first = await buildText(space.root, text);
  const plan = await planText(space.root, text);
  expect(plan.outputs[0]!.gates.every(({ state }) => state === "holds")).toBe(true);
  const again = await buildText(space.root, text);
  expect(again).toMatchObject({ ran: [], statistics: { run: 0 }, bytes: { read: 0 } });
  expect(values(again)).toEqual(values(first));
  space.write("maths", model(2, 4));
  expect(values(await buildText(space.root, text))).not.toEqual(values(first));
});

test("and the output both have thresholds of their own", async () => {
  const both = `${HEAD}${PLAIN}${TRIMMED}merge denser onto llama using ties {
  each mask magnitude(density: 0.5, per: model)
  maths
  code
}
output "out/denser" = denser
expect denser {
  distance(trimmed) > 0
  changed(trimmed) > 0
  cosine(denser) > 0.9999
  changed(denser) <= 0
}
`;
  const built = await buildText(space.root, both.replace(PLAIN, ""));
  expect(built.diagnostics).toEqual([]);
  const found = new Map(built.gates.map(({ predicate, value }) => [predicateText(predicate), value]));
  expect(found.get("changed(denser) <= 0")).toBe(0);
  expect(found.get("distance(trimmed) > 0")).toBeGreaterThan(1);
});
