// Revisions of the formulas. Raise an operation's number by hand when its bits change; the golden keys in the tests
// remind you. It enters the key, so that no result of the old formula is served for the new one.

import type { Operation } from "./tensor-graph.ts";

export const OPERATION_REVISION: Readonly<Record<Operation["op"], number>> = {
  load: 1,
  resize: 1,
  lora: 1,
  subtract: 1,
  add: 1,
  onto: 1,
  negate: 1,
  multiply: 1,
  divide: 1,
  magnitude: 1,
  breadcrumbs: 1,
  random: 1,
  della: 1,
  "mask-and": 1,
  "mask-or": 1,
  "mask-not": 1,
  select: 1,
  "rescale-inv": 1,
  "rescale-della": 1,
  "rescale-l1": 1,
  sum: 1,
  mean: 1,
  ties: 1,
  linear: 1,
  slerp: 1,
  karcher: 1,
  "model-stock": 1,
  nearswap: 1,
};
