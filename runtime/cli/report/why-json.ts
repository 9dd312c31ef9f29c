// What `theta why --json` prints: schema theta.why/1, one object.

import { recordedAction } from "../../history/build-record.ts";
import type { Why, ToldTensor } from "../../history/why.ts";
import type { OutputAnswer } from "../commands/why.ts";
import type { WhyTarget } from "../why-target.ts";

export function whyJson({ name, tensor }: WhyTarget, answers: readonly OutputAnswer[]): object {
  return {
    schema: "theta.why/1",
    ok: true,
    name,
    ...(tensor !== undefined && { tensor }),
    outputs: answers.map(({ display, why }) => ({ path: display, ...outputJson(why) })),
  };
}

function outputJson(why: Why): object {
  if (why.state !== "told") return why;
  const { build, output, tensors, later } = why;
  return {
    state: output.state,
    ...(output.because !== undefined && { because: output.because }),
    ...(output.digest !== undefined && { digest: output.digest }),
    ...(later !== undefined && { later }),
    build: {
      id: build.id,
      started: build.started,
      seconds: build.seconds,
      status: build.status,
      theta: build.theta,
      recipe: build.recipe,
      recipe_digest: build.recipeDigest,
      parameters: build.parameters,
      forced: build.forced,
    },
    changed_parameters: output.parameters,
    tensors: tensors.map((told) => tensorJson(why, told)),
  };
}

function tensorJson({ output }: Extract<Why, { state: "told" }>, { tensor, lastRun }: ToldTensor): object {
  const { name, dtype, how, reason, wanted, key, digest, was } = tensor;
  return {
    name,
    dtype,
    how,
    reason,
    ...(wanted !== undefined && { wanted }),
    changes: tensor.changes.map((change) => output.changes[change]),
    ...(key !== undefined && { key: `sha256:${key}` }),
    ...(was !== undefined && { was }),
    ...(digest !== undefined && { digest }),
    ...(lastRun !== undefined && { last_run: lastRun }),
    inputs: recordedAction(output, tensor).inputs,
  };
}
