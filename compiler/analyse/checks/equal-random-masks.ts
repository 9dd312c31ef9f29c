// Random masks with one seed and stream keep the same elements: of two inputs of a merge that is rarely meant, and spoils
// the chance that one fills what the other drops. In a merge block each entry has a stream of its own.

import type { Report } from "../../../dsl/diagnostic.ts";
import { leafMasks } from "../../graph-walk.ts";
import type { VectorResult } from "../kinds.ts";
import type { MaskedNode, MaskNode, VectorNode } from "../../recipe-graph.ts";

type RandomMask = Extract<MaskNode, { kind: "mask-method" }>;

export function warnOfEqualRandomMasks(vectors: readonly VectorResult[], report: Report): void {
  if (vectors.length < 2) return;
  const first = new Map<string, { readonly mask: RandomMask; readonly input: number }>();
  vectors.forEach(({ node }, input) => {
    for (const masked of masksOn(node)) {
      for (const mask of randomMasks(masked)) {
        const drawn = drawnFrom(mask, masked);
        const earlier = first.get(drawn);
        if (earlier === undefined) first.set(drawn, { mask, input });
        else if (earlier.input !== input) {
          reportEqual(mask, earlier.mask, report);
          return;
        }
      }
    }
  });
}

function reportEqual(mask: RandomMask, earlier: RandomMask, report: Report): void {
  const isSame = mask === earlier;
  report({
    code: "equal-random-masks",
    severity: "warning",
    message: `two inputs of one merge have ${mask.method} masks of one seed and stream, which draw the same numbers`,
    span: mask.span,
    ...(isSame ? {} : { notes: [{ message: "the other one", span: earlier.span }] }),
    help: "give each a stream: of its own, or use a merge block, which does",
  });
}

/** Of vectors that are made of each other; nobody masks one so often. */
const MOST_STEPS = 64;

/** From the outermost vector inwards, while it is one vector. */
function masksOn(vector: VectorNode): readonly MaskedNode[] {
  const found: MaskedNode[] = [];
  let at = vector;
  for (let step = 0; step < MOST_STEPS; step++) {
    switch (at.kind) {
      case "masked":
        found.push(at);
        at = at.vector;
        break;
      case "vector-negate":
      case "vector-multiply":
      case "vector-divide":
        at = at.operand;
        break;
      case "rebase":
        at = at.vector;
        break;
      case "vector-choice":
      case "vector-method":
      case "vector-add":
      case "vector-subtract":
      case "difference":
      case "adapter":
      case "stored-vector":
        return found;
    }
  }
  return found;
}

function randomMasks({ mask }: MaskedNode): readonly RandomMask[] {
  return leafMasks(mask).flatMap((leaf) => (leaf.kind === "mask-method" && leaf.shared.has("seed") ? [leaf] : []));
}

function drawnFrom(mask: RandomMask, { stream }: MaskedNode): string {
  const constant = (name: string): number | undefined => {
    const parameter = mask.shared.get(name);
    return parameter?.kind === "number" && parameter.value.kind === "constant" ? parameter.value.value : undefined;
  };
  return `${mask.method} ${constant("seed")} ${constant("stream") ?? stream}`;
}
