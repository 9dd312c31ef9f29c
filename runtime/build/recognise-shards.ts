// A store that was copied, or restored in CI, has the right bytes in files that theta did not write: their stamps prove
// nothing. Reading them does, and costs less than making them again, so a build reads those that it could use.

import { closeSync, openSync } from "node:fs";
import type { Engine } from "../../native/addon-types.ts";
import { checkShardFile } from "../store/check-shard-file.ts";
import { identityOfDescriptor, isFresh, ownStamp } from "../store/file-identity.ts";
import { underMutationLock } from "../store/mutation-lock.ts";
import type { StoredShard } from "../store/shard-store.ts";
import type { Store } from "../store/store.ts";
import { engineFailure } from "./engine-failure.ts";
import type { Standings } from "./look-up.ts";
import type { Session } from "./session.ts";
import { weakKeyOf } from "./weak-key-of.ts";

/** So many files are open at once; the engine gets the tensors of all of them. */
const FILES_AT_ONCE = 4;

/**
 * Gives a function that reads every shard which was found with another stamp than it was stored with, each once, and takes
 * it back where its bytes are right; the others stay spoiled, and are refused. True when something was read, so that it is
 * worth to look again. Throws a Failure (71) when the engine runs out of memory.
 */
export function shardRecogniser(
  { addon, signal, store }: Pick<Session, "addon" | "signal" | "store">,
  startEngine: () => Engine,
): () => Promise<boolean> {
  const { shards, paths } = store;
  return async () => {
    const unknown = shards.otherwiseStamped();
    const right: { readonly shard: StoredShard; readonly stamp: string }[] = [];
    for (let at = 0; at < unknown.length; at += FILES_AT_ONCE) {
      signal.throwIfAborted();
      await Promise.all(
        unknown.slice(at, at + FILES_AT_ONCE).map(async (shard) => {
          const stamp = await stampOfRight(shard, startEngine, paths.root);
          if (stamp === undefined) shards.refuse(shard);
          else right.push({ shard, stamp });
        }),
      );
    }
    if (right.length > 0) {
      await underMutationLock(addon, paths, signal, () => {
        for (const { shard, stamp } of right) shards.restamp(shard.record.digest, stamp);
      });
    }
    return unknown.length > 0;
  };
}

/**
 * What a build reads of the store before it knows what runs, as far as can be told: where digests of inputs are missing, it is
 * all that may turn out to be of use.
 */
export function shardsToRecognise(standings: Standings, { index, shards }: Store): readonly StoredShard[] {
  const open = [...standings].flatMap(([action, standing]) =>
    standing.state === "unknown" && standing.mayHit ? [weakKeyOf(action)] : [],
  );
  // To look for one is to see that it is otherwise stamped.
  if (open.length > 0) for (const digest of index.shardsOfWeak(open)) shards.find(digest);
  return shards.otherwiseStamped();
}

/** Of the file that was read, when its bytes are what the record says. */
async function stampOfRight(
  { path, record }: StoredShard,
  startEngine: () => Engine,
  store: string,
): Promise<string | undefined> {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    // What cannot be opened cannot be used either: it stays spoiled, and the action runs.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
  try {
    const identity = identityOfDescriptor(fd);
    if (isFresh(identity)) return undefined;
    const stamp = ownStamp(identity);
    const fault = await checkShardFile(fd, record, startEngine());
    return fault === undefined && ownStamp(identityOfDescriptor(fd)) === stamp ? stamp : undefined;
  } catch (error) {
    throw engineFailure(error, path, store);
  } finally {
    closeSync(fd);
  }
}
