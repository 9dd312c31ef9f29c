// What happens to an output when its last shard is stored: verdicts, gates, then it is published or found to be current.

import type { Engine } from "../../native/addon-types.ts";
import type { GateResult } from "../gates/judge-gates.ts";
import { judgeOutput } from "../gates/judge-output.ts";
import type { BuildRecorder } from "../history/record-build.ts";
import { editedSideFiles } from "./edited-side-files.ts";
import { outputFailure } from "./engine-failure.ts";
import type { FailedOutputs } from "./failed-outputs.ts";
import { finishOutput, publish, recordAgain, staleBecause, type FinishedShard } from "./finished-output.ts";
import { judgeRuns } from "./judge-output-tensors.ts";
import type { Standings } from "./look-up.ts";
import type { Session } from "./session.ts";
import { checkVectorBases } from "./vector-base.ts";
import type { WantedOutput } from "./wanted-output.ts";

export class OutputFinisher {
  readonly #session: Session;
  readonly #recorder: BuildRecorder;
  readonly #startEngine: () => Engine;
  readonly #standings: Standings;
  readonly #failed: FailedOutputs;
  /** Digest of each output that is true now. */
  readonly #done = new Map<WantedOutput, string>();
  readonly #gates = new Map<WantedOutput, readonly GateResult[]>();
  #copied = 0;

  constructor(
    session: Session,
    recorder: BuildRecorder,
    startEngine: () => Engine,
    standings: Standings,
    failed: FailedOutputs,
  ) {
    this.#session = session;
    this.#recorder = recorder;
    this.#startEngine = startEngine;
    this.#standings = standings;
    this.#failed = failed;
  }

  /** Bytes that publishing copied, where the file system can neither link nor clone. */
  get copied(): number {
    return this.#copied;
  }

  /** Of outputs whose tensors were all made, good or not. */
  gatesOf(wanted: WantedOutput): readonly GateResult[] {
    return this.#gates.get(wanted) ?? [];
  }

  /** Undefined for an output that could not be made. */
  digestOf(wanted: WantedOutput): string | undefined {
    return this.#done.get(wanted);
  }

  async finish(wanted: WantedOutput, shards: readonly FinishedShard[]): Promise<void> {
    const { inputs, signal } = this.#session;
    signal.throwIfAborted();
    checkVectorBases(wanted, inputs);
    const { observer } = this.#recorder;
    if (!judgeRuns(wanted, shards, this.#standings, this.#session, observer)) {
      this.#failed.condemn(wanted);
      return;
    }
    const gates = await judgeOutput(this.#session, this.#startEngine, wanted, shards, observer);
    this.#gates.set(wanted, gates);
    if (!gates.every(({ passed }) => passed)) {
      this.#failed.condemn(wanted);
      return;
    }
    signal.throwIfAborted();
    await this.#makeCurrent(wanted, shards);
  }

  async #makeCurrent(wanted: WantedOutput, shards: readonly FinishedShard[]): Promise<void> {
    const { addon, context, inputs, store } = this.#session;
    const { observer } = this.#recorder;
    const output = finishOutput(wanted, shards, context, inputs);
    const because = staleBecause(output);
    if (because === undefined) {
      const isNews = recordAgain(store.paths, context, output, this.#recorder.id);
      this.#recorder.finished(output, isNews ? "relearned" : "current");
    } else {
      observer.phase("publish");
      const edited = editedSideFiles(output);
      const { output: node, actions } = wanted.graph;
      this.#copied += await publish(addon, store.paths, context, output, this.#recorder.id).catch((error: unknown) => {
        throw outputFailure(error, node.display, wanted.path);
      });
      for (const warning of edited) observer.diagnostic(warning);
      this.#recorder.finished(output, "published", because);
      observer.outputPublished({ path: node.display, tensors: actions.length, digest: output.digest });
    }
    this.#done.set(wanted, output.digest);
  }
}
