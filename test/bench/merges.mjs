// The merges that the benchmark measures, in theta's words and in mergekit's.

/** What is measured: the merge in theta's words and in mergekit's, and how many fine-tunes it takes. */
export const METHODS = {
  linear: {
    theta: (models) => `merge merged = linear(${models.join(", ")})`,
    mergekit: { merge_method: "linear", each: { weight: 1 } },
  },
  "task-arithmetic": {
    theta: (models) => block(models, "sum(scale: 0.3)", "weight 1"),
    mergekit: { merge_method: "task_arithmetic", base: true, each: { weight: 0.3 } },
  },
  passthrough: {
    theta: ([first]) => `merge merged = scale(${first}, by: 0.5)`,
    mergekit: { merge_method: "passthrough", each: { scale: 0.5 } },
    finetunes: 1,
  },
  slerp: {
    theta: ([first, second]) => `merge merged = slerp(${first}, ${second}, t: 0.4)`,
    mergekit: { merge_method: "slerp", pair: true, parameters: { t: 0.4 } },
    finetunes: 2,
  },
  nuslerp: {
    theta: ([first, second]) => `merge merged = nuslerp(${first}, ${second}, weight: [0.6, 0.4])`,
    mergekit: { merge_method: "nuslerp", each: { weight: 1 }, parameters: { nuslerp_flatten: true } },
    finetunes: 2,
  },
  "nuslerp-row": {
    theta: ([first, second]) => `merge merged = nuslerp(${first}, ${second}, weight: [0.6, 0.4], per: row)`,
    mergekit: { merge_method: "nuslerp", each: { weight: 1 }, parameters: { nuslerp_flatten: false } },
    finetunes: 2,
  },
  multislerp: {
    theta: (models) => block(models, "multislerp", "weight 1"),
    mergekit: { merge_method: "multislerp", base: true, each: { weight: 1 } },
  },
  karcher: {
    theta: (models) => `merge merged = karcher(${models.join(", ")})`,
    mergekit: { merge_method: "karcher" },
  },
  "model-stock": {
    theta: (models) => block(models, "model_stock"),
    mergekit: { merge_method: "model_stock", base: true },
  },
  nearswap: {
    theta: ([first]) => `merge merged onto base0 using nearswap(t: 0.001) {\n  ${first}\n}`,
    mergekit: { merge_method: "nearswap", base: true, parameters: { t: 0.001 } },
    finetunes: 1,
  },
  ties: {
    theta: (models) => block(models, "ties", "weight 1  mask magnitude(density: 0.2)"),
    mergekit: { merge_method: "ties", base: true, each: { weight: 1, density: 0.2 }, parameters: { normalize: true } },
  },
  "ties-model": {
    theta: (models) =>
      block(models, "ties(elect: unweighted, divide: count)", "mask magnitude(density: 0.2, per: model)"),
  },
  dare: {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask random(density: 0.3, seed: 7)"),
    mergekit: { merge_method: "dare_linear", base: true, each: { weight: 0.3, density: 0.3 } },
  },
  "dare-ties": {
    theta: (models) => block(models, "ties(divide: none)", "mask random(density: 0.3, seed: 7)"),
    mergekit: { merge_method: "dare_ties", base: true, each: { weight: 1, density: 0.3 } },
  },
  della: {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask della(density: 0.5, seed: 7)"),
    mergekit: { merge_method: "della_linear", base: true, each: { weight: 0.3, density: 0.5, epsilon: 0.15 } },
  },
  "breadcrumbs-row": {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask breadcrumbs(density: 0.15, drop_top: 0.01)"),
  },
  "breadcrumbs-tensor": {
    theta: (models) => block(models, "sum(scale: 0.3)", "mask breadcrumbs(density: 0.15, drop_top: 0.01, per: tensor)"),
    mergekit: { merge_method: "breadcrumbs", base: true, each: { weight: 0.3, density: 0.15, gamma: 0.01 } },
  },
  sce: {
    theta: (models) => block(models, "sce(select: 0.1)"),
    mergekit: { merge_method: "sce", base: true, parameters: { select_topk: 0.1 } },
  },
  ram: {
    theta: (models) => block(models, "ram"),
    mergekit: { merge_method: "ram", base: true },
  },
  "ram-plus": {
    theta: (models) => block(models, "ram_plus"),
    mergekit: { merge_method: "ramplus_tl", base: true },
  },
  pcb: {
    theta: (models) => block(models, "pcb(scale: 1.2)"),
  },
  "arcee-fusion": {
    theta: (models) => block(models, "arcee_fusion"),
    mergekit: { merge_method: "arcee_fusion", base: true },
    finetunes: 1,
  },
};

const block = (models, using, clauses) =>
  `merge merged onto base0 using ${using} {\n${clauses ? `  each  ${clauses}\n` : ""}${models.map((m) => `  ${m}\n`).join("")}}`;

export function recipe(method, finetunes) {
  const models = finetunes.map((_, i) => `ft${i}`);
  const base = METHODS[method].theta(models).includes("base0") ? 'base base0 = "models/base"\n' : "";
  const declared = models.map((name) => `model ${name} = "models/${name}"\n`).join("");
  return `theta 1\n\n${base}${declared}\n${METHODS[method].theta(models)}\n\noutput "merged" = merged\n`;
}

export function mergekitConfig({ merge_method, base, pair, each, parameters }, models, finetunes) {
  const lines = [`merge_method: ${merge_method}`, "dtype: float32", "out_dtype: bfloat16"];
  if (base) lines.push(`base_model: ${models}/base`);
  if (pair) lines.push(`base_model: ${models}/ft0`);
  lines.push("models:");
  for (const name of finetunes) {
    lines.push(`  - model: ${models}/${name}`);
    if (each) lines.push("    parameters:", ...Object.entries(each).map(([key, value]) => `      ${key}: ${value}`));
  }
  if (parameters) lines.push("parameters:", ...Object.entries(parameters).map(([key, value]) => `  ${key}: ${value}`));
  return `${lines.join("\n")}\n`;
}
