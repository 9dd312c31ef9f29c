// What methods and masks are called elsewhere, in mergekit and in papers, and how a recipe has them. METHODS.md, "Coming
// from mergekit", tells their parameters.

const DARE = "each mask random(density: 0.5, seed: 7)";

/** By name: what to write instead. */
export const NAMES_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["task_arithmetic", "write using sum"],
  ["dare", `write using sum, and ${DARE}`],
  ["dare_linear", `write using sum, and ${DARE}`],
  ["dare_ties", `write using ties, and ${DARE}`],
  ["breadcrumbs_ties", "write using ties, and each mask breadcrumbs(density: 0.15, drop_top: 0.006)"],
  ["della_linear", "write using sum, and each mask della(density: 0.5, seed: 7)"],
  ["della_ties", "write using ties, and each mask della(density: 0.5, seed: 7)"],
  ["ramplus_tl", "write using ram_plus"],
  ["passthrough", "name the model itself, scale(maths, by: 0.5), or stack(slice(maths, 0..8), slice(code, 4..12))"],
  ["average", "write linear"],
  ["lerp", "write linear"],
  ["topk", "write magnitude"],
]);
