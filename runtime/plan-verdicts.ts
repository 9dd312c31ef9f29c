// What a build would say of outputs before it makes anything: that what lies there is somebody else's, and its verdicts on
// what is stored. Of either an output may be refused, and keeps what it holds.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import type { BuildContext } from "./build-context.ts";
import { refuseForeignContent } from "./build/foreign-content.ts";
import { verdictsOnHits } from "./build/judge-output-tensors.ts";
import type { Standings } from "./build/look-up.ts";
import type { Session } from "./build/session.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import { isFailure, type Failure } from "./failure.ts";

/** Outputs for which a build would not even look anything up, and why. */
export function planRefusals(
  outputs: readonly WantedOutput[],
  context: Pick<BuildContext, "adopt" | "keepGoing">,
): ReadonlyMap<WantedOutput, { readonly because: string; readonly refusal?: Failure }> {
  const refusals = new Map(
    outputs.flatMap((wanted) => {
      const refusal = foreignContent(wanted, context);
      return refusal === undefined ? [] : [[wanted, { because: refusal.message, refusal }]];
    }),
  );
  const [first] = refusals.keys();
  if (first === undefined || context.keepGoing) return refusals;
  const because = `the build ends at "${first.graph.output.display}"; --keep-going makes this one`;
  return new Map(outputs.map((wanted) => [wanted, refusals.get(wanted) ?? { because }]));
}

function foreignContent(wanted: WantedOutput, context: Pick<BuildContext, "adopt">): Failure | undefined {
  try {
    refuseForeignContent(wanted, context);
    return undefined;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
}

export function planVerdicts(session: Session, wanted: WantedOutput, standings: Standings): readonly Diagnostic[] {
  const { inputs } = session;
  // Where it compares tensors, a build hashes them first.
  const actions = wanted.graph.actions.filter(({ mustEqual }) =>
    (mustEqual ?? []).every(({ tensor }) => inputs.digest(tensor) !== undefined),
  );
  return verdictsOnHits(wanted, actions, standings, session);
}

/** Why the output would not be made, after all look-ups; undefined when it would. */
export function condemnedBecause(verdicts: readonly Diagnostic[]): string | undefined {
  return verdicts.find(({ severity }) => severity === "error")?.message;
}
