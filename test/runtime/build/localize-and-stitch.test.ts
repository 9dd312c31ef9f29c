// Localize-and-Stitch without data is a mask and a strategy of this table: each vector's largest elements over the whole model,
// averaged where several vectors have one. Compared with a reference that knows neither.

import { expect, test } from "vitest";
import { decodeFloats, f32, readSafetensors, type TestTensor } from "../../support/tensors.ts";
import { buildText } from "./build-text.ts";
import { useWorkspace } from "./use-workspace.ts";

type Values = Readonly<Record<string, readonly number[]>>;

const SIZES: Readonly<Record<string, number>> = { "embed.weight": 700, "layers.0.w": 900, "norm.weight": 30 };

/** Without equal magnitudes; `zeros`: one in so many elements is unchanged. */
function valuesOf(seed: number, scale: number, zeros: number): Values {
  let state = seed;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 - 0.5;
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, size]) => [
      name,
      Array.from({ length: size }, (_, index) => Math.fround(next() * (index % zeros === 0 ? 0 : scale))),
    ]),
  );
}

const base = valuesOf(7, 1, 11);
const changes = [valuesOf(1, 0.01, 3), valuesOf(2, 0.02, 1000), valuesOf(3, 0.01, 2)];
const NAMES = ["maths", "code", "chat"];

const tensorsOf = (values: Values): Record<string, TestTensor> =>
  Object.fromEntries(Object.entries(values).map(([name, list]) => [name, f32([list.length], list)]));

const models = changes.map((change): Values =>
  Object.fromEntries(
    Object.entries(base).map(([name, list]) => [name, list.map((x, index) => Math.fround(x + change[name]![index]!))]),
  ),
);

const space = useWorkspace((space) => {
  space.write("base", tensorsOf(base));
  models.forEach((model, index) => space.write(NAMES[index]!, tensorsOf(model)));
});

/** The authors' dataless masks: above the smallest of the k largest sizes there is nothing but these; ties are not drawn here. */
function stitched(share: number): Values {
  const vectors = models.map((model): Values =>
    Object.fromEntries(
      Object.entries(model).map(([name, list]) => [name, list.map((x, i) => Math.fround(x - base[name]![i]!))]),
    ),
  );
  const total = Object.values(SIZES).reduce((sum, size) => sum + size, 0);
  const thresholds = vectors.map(
    (vector) =>
      Object.values(vector)
        .flat()
        .map(Math.abs)
        .sort((a, b) => b - a)[Math.trunc(total * share) - 1]!,
  );
  return Object.fromEntries(
    Object.entries(base).map(([name, list]) => [
      name,
      list.map((x, i) => {
        const kept = vectors.flatMap((vector, k) => {
          const tau = vector[name]![i]!;
          return tau !== 0 && Math.abs(tau) >= thresholds[k]! ? [tau] : [];
        });
        const sum = kept.reduce((all, tau) => Math.fround(all + tau), 0);
        return kept.length === 0 ? x : Math.fround(x + Math.fround(sum / kept.length));
      }),
    ]),
  );
}

// At 0.9 one vector has fewer elements that changed than the mask would keep: those that did not are in no mean.
test.each([0.05, 0.4, 0.9])("of a share of %f is what the authors' code gives, bit for bit", async (share) => {
  const declared = NAMES.map((name) => `model ${name} = "${name}"`).join("\n");
  await buildText(
    space.root,
    `theta 1
base llama = "base"
${declared}
merge stitched onto llama using ties(elect: none, divide: count) {
  each mask magnitude(density: ${share}, per: model)
  ${NAMES.join("\n  ")}
}
output "out" = stitched
`,
  );
  const made = readSafetensors(space.path("out/model.safetensors"));
  for (const [name, expected] of Object.entries(stitched(share))) {
    const { dtype, data } = made.get(name)!;
    expect(decodeFloats(dtype, data), name).toEqual(expected);
  }
});
