// What a build would say of an output before any work: that its directory is somebody else's, and its verdicts on what is
// stored. Of either an output may be refused, and keeps what it holds.

import type { Diagnostic } from "../dsl/diagnostic.ts";
import { refuseForeignDirectory } from "./build/foreign-directory.ts";
import { verdictsOnHits } from "./build/judge-output-tensors.ts";
import type { Standings } from "./build/look-up.ts";
import type { Session } from "./build/session.ts";
import type { WantedOutput } from "./build/wanted-output.ts";
import { isFailure, type Failure } from "./failure.ts";

export interface PlannedVerdicts {
  /** Then nothing else was looked at. */
  readonly refusal?: Failure;
  readonly verdicts: readonly Diagnostic[];
}

export function planVerdicts(session: Session, wanted: WantedOutput, standings: Standings): PlannedVerdicts {
  try {
    refuseForeignDirectory(wanted, session.context);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { refusal: error, verdicts: [] };
  }
  const { inputs } = session;
  // A build hashes what it compares.
  const isKnown = wanted.graph.actions.every(({ mustEqual }) =>
    (mustEqual ?? []).every(({ tensor }) => inputs.digest(tensor) !== undefined),
  );
  return { verdicts: isKnown ? verdictsOnHits(wanted, standings, session) : [] };
}

/** Why nothing of the output would be made; undefined when it would. */
export function refusedBecause({ refusal, verdicts }: PlannedVerdicts): string | undefined {
  return refusal?.message ?? verdicts.find(({ severity }) => severity === "error")?.message;
}
