// Does an adapter fit the base it is declared on: its modules exist there and B·A has their weights' shapes.

import { counted } from "../../dsl/counted.ts";
import type { Report } from "../../dsl/diagnostic.ts";
import { didYouMean } from "../../dsl/did-you-mean.ts";
import type { LoraModule } from "../checkpoint.ts";
import { modelMadeBy, nodesUnder, rootOf } from "../graph-walk.ts";
import { layoutName, tensorOf, type Headers } from "../headers.ts";
import type { Layout } from "../layout.ts";
import type { AdapterNode, OutputNode } from "../recipe-graph.ts";
import { isSameShape } from "../lower/tensor-facts.ts";

const WEIGHT = ".weight";

export function checkAdapters(output: OutputNode, headers: Headers, report: Report): void {
  for (const node of nodesUnder(rootOf(output))) {
    if (node.kind === "adapter") checkAdapter(node, headers, report);
  }
}

function checkAdapter(node: AdapterNode, headers: Headers, report: Report): void {
  const base = layoutName(modelMadeBy(node));
  const model = headers.layout(node);
  const missing: string[] = [];
  const misfits: { readonly lora: LoraModule; readonly shape: readonly number[] }[] = [];
  for (const [module, lora] of headers.adapter(node).modules) {
    const tensor = tensorOf(model, [`${module}${WEIGHT}`])?.tensor;
    if (tensor === undefined) missing.push(module);
    else if (!isSameShape(shapeOf(lora), tensor.shape)) misfits.push({ lora, shape: tensor.shape });
  }
  // One of which nothing fits would change nothing.
  const fitsNothing = missing.length === headers.adapter(node).modules.size;
  if (missing.length > 0 && (fitsNothing || node.exceptions.extra !== "skip")) {
    reportMissing(node, base, missing, model, fitsNothing, report);
  }
  const [misfit] = misfits;
  if (misfit !== undefined) {
    report({
      code: "adapter-shape",
      severity: "error",
      message: `${node.name} does not fit ${base} at ${misfit.lora.module}${more(misfits.length - 1)}`,
      span: node.span,
      facts: [
        `${node.name}  [${shapeOf(misfit.lora).join(", ")}]  B [${misfit.lora.b.shape.join(", ")}] · A [${misfit.lora.a.shape.join(", ")}]${misfit.lora.transposed ? ", transposed" : ""}`,
        `${base}  [${misfit.shape.join(", ")}]`,
      ],
    });
  }
  if (node.exceptions.nan === "zero") {
    report({
      code: "not-served",
      severity: "error",
      message: "nan zero is not served for adapters yet",
      span: node.span,
    });
  }
}

/** Of τ as the base stores it; a fan_in_fan_out base stores [in, out]. */
function shapeOf({ a, b, transposed }: LoraModule): readonly number[] {
  const shape = [b.shape[0] ?? 0, a.shape[1] ?? 0];
  return transposed ? shape.reverse() : shape;
}

function reportMissing(
  node: AdapterNode,
  base: string,
  missing: readonly string[],
  model: Layout,
  fitsNothing: boolean,
  report: Report,
): void {
  const first = missing[0]!;
  const modules = [...model.tensors.keys(), ...model.aliases.keys()]
    .filter((name) => name.endsWith(WEIGHT))
    .map((name) => name.slice(0, -WEIGHT.length));
  const near = didYouMean(first, modules);
  report({
    code: "adapter-module-missing",
    severity: "error",
    message: `${node.name} changes ${first}${more(missing.length - 1)}, which ${base} has not`,
    span: node.span,
    ...(near === undefined ? {} : { notes: [{ message: `the nearest name in ${base} is ${near}` }] }),
    help: `use it on the model that it was trained on${fitsNothing ? "" : `, or write { extra skip } behind ${node.name}`}`,
  });
}

function more(modules: number): string {
  return modules === 0 ? "" : ` and ${counted(modules, "more module")}`;
}
