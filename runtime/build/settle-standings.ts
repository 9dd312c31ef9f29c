// Whether each action's result is stored, made certain: what has to be read to know is read.

import type { Engine } from "../../native/addon-types.ts";
import type { BuildObserver } from "../progress.ts";
import type { FailedOutputs } from "./failed-outputs.ts";
import { hashInputs, tensorsToHash } from "./hash-inputs.ts";
import { forcedToRun, lookUp, type Standings } from "./look-up.ts";
import { shardRecogniser } from "./recognise-shards.ts";
import type { Session } from "./session.ts";
import type { WantedOutput } from "./wanted-output.ts";

/** An output whose inputs cannot be read goes to `failed`, or ends the build. Throws what `hashInputs` does. */
export async function settleStandings(
  session: Session,
  outputs: readonly WantedOutput[],
  startEngine: () => Engine,
  observer: BuildObserver,
  failed: FailedOutputs,
): Promise<Standings> {
  const { context, inputs, store } = session;
  let standings = lookUp(outputs, inputs, store);
  const recogniseShards = shardRecogniser(session, startEngine);
  const recognise = async (): Promise<void> => {
    if (store.shards.spoiled && !context.force && (await recogniseShards())) standings = lookUp(outputs, inputs, store);
  };
  await recognise();
  const toHash = tensorsToHash(outputs, standings, inputs);
  if (toHash.length > 0) {
    observer.phase("hash");
    const unread = await hashInputs(startEngine(), inputs, toHash, store.paths.root, context.keepGoing);
    for (const wanted of unread.size > 0 ? outputs : []) {
      const missed = tensorsToHash([wanted], standings, inputs).flatMap(
        (tensor) => unread.get(inputs.place(tensor)) ?? [],
      );
      if (missed.length > 0) failed.add(wanted, missed);
    }
    standings = lookUp(outputs, inputs, store);
  }
  await recognise();
  return context.force ? forcedToRun(standings) : standings;
}
