// The name that was probably meant.

import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean, editDistance } from "../../dsl/did-you-mean.ts";

test.each([
  ["modle", ["merge", "model", "models"], "model"],
  ["dropout_top", ["drop_top", "density"], "drop_top"],
  ["Llama", ["lama", "llama"], "llama"],
  ["lm_heads.*", ["model.norm.weight", "lm_head.*"], "lm_head.*"],
  ["x", ["y", "z"], undefined],
  ["weight", ["density", "seed"], undefined],
  ["weight", ["weight"], undefined],
  ["", ["a"], undefined],
])("%s among %j is %s", (word, candidates, expected) => {
  expect(didYouMean(word, candidates)).toBe(expected);
});

/** The textbook's full table. */
function reference(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      d[i]![j] = Math.min(d[i - 1]![j]! + 1, d[i]![j - 1]! + 1, d[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        d[i]![j] = Math.min(d[i]![j]!, d[i - 2]![j - 2]! + 1);
      }
    }
  }
  return d[a.length]![b.length]!;
}

test("the banded distance is the distance, or above the limit", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });
  fc.assert(
    fc.property(word, word, fc.nat(6), (a, b, limit) => {
      const distance = reference(a, b);
      expect(editDistance(a, b, limit)).toBe(distance > limit ? undefined : distance);
    }),
    { numRuns: 3000 },
  );
});

test("ten thousand tensor names take no time", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `model.layers.${i}.self_attn.q_proj.weight`);
  const start = performance.now();
  expect(didYouMean("model.layers.77.self_atn.q_prjo.weight", names)).toBe("model.layers.77.self_attn.q_proj.weight");
  expect(performance.now() - start).toBeLessThan(1000);
});
