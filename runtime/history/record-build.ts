// Listens to a build and writes its record when it ends, however it ends. A build that neither ran nor published anything
// leaves none, so asking again and again does not grow the history. What goes wrong here is a warning: outputs are made.

import type { FinishedOutput } from "../build/finished-output.ts";
import type { Standings } from "../build/look-up.ts";
import type { Session } from "../build/session.ts";
import type { WantedOutput } from "../build/wanted-output.ts";
import type { BuildObserver } from "../progress.ts";
import type { ActionCounts } from "../reasons.ts";
import { ShardGone } from "../store/shard-store.ts";
import { systemErrorText } from "../system-error.ts";
import { newBuildId, writeBuildRecord, type BuildRecord, type RecordedOutput } from "./build-record.ts";
import { EarlierRuns } from "./earlier-runs.ts";
import { recordCurrent, recordOutput } from "./record-output.ts";

export class BuildRecorder {
  /** Tells the build's own observer everything. */
  readonly observer: BuildObserver;
  readonly #session: Session;
  readonly #started = new Date();
  /** By output and tensor, as observers hear of them. */
  readonly #ran = new Map<string, Set<string>>();
  readonly #outputs = new Map<WantedOutput, RecordedOutput>();
  #standings: Standings = new Map();
  #wanted: readonly WantedOutput[];

  constructor(session: Session, observer: BuildObserver) {
    this.#session = session;
    this.#wanted = session.outputs;
    this.observer = {
      ...observer,
      actionDone: (action) => {
        if (action.how === "run") this.#ranIn(action.output).add(action.tensor);
        observer.actionDone(action);
      },
    };
  }

  /** Not before it is needed: the first date that Node writes loads tables of time zones, up to 80 ms from a cold disk. */
  get id(): string {
    return newBuildId(this.#started);
  }

  /** Where every action stood before anything ran; `outputs` have them as they are when statistics are known. */
  lookedUp(outputs: readonly WantedOutput[], standings: Standings): void {
    this.#wanted = outputs;
    this.#standings = standings;
  }

  /** `because`: why it had to be published. */
  finished(output: FinishedOutput, state: "current" | "published" | "relearned", because?: string): void {
    const { wanted } = output;
    const facts = this.#facts(wanted, output);
    // Runs that gave what was there, as when they were forced, are told all the same.
    const hasRun = facts.ran.size > 0;
    const recorded =
      state === "current" && !hasRun
        ? recordCurrent(facts)
        : recordOutput(facts, state === "current" ? "relearned" : state, because);
    this.#outputs.set(wanted, recorded);
  }

  save(status: BuildRecord["status"], actions?: ActionCounts): void {
    const { context, store } = this.#session;
    if (this.#ran.size === 0 && [...this.#outputs.values()].every(({ state }) => state === "current")) return;
    writeBuildRecord(store.paths, {
      id: this.id,
      started: this.#started.toISOString(),
      seconds: (Date.now() - this.#started.getTime()) / 1000,
      status,
      theta: context.version,
      recipe: context.recipe,
      recipeDigest: context.recipeDigest,
      parameters: Object.fromEntries(context.parameters),
      forced: context.force,
      ...(actions && { actions }),
      outputs: this.#wanted.map(
        (wanted) => this.#outputs.get(wanted) ?? recordOutput(this.#facts(wanted), "failed", undefined),
      ),
    });
  }

  #facts(wanted: WantedOutput, finished?: FinishedOutput): Parameters<typeof recordOutput>[0] {
    const { context, inputs, store } = this.#session;
    return {
      wanted,
      standings: this.#standings,
      inputs,
      earlier: new EarlierRuns(store.paths),
      parameters: context.parameters,
      ran: this.#ran.get(wanted.graph.output.display) ?? new Set(),
      ...(finished && { finished }),
    };
  }

  #ranIn(output: string): Set<string> {
    const known = this.#ran.get(output) ?? new Set<string>();
    this.#ran.set(output, known);
    return known;
  }
}

/** Runs the work of a build and records it. */
export async function recordBuild<T extends { readonly status: "done" | "failed"; readonly actions: ActionCounts }>(
  session: Session,
  observer: BuildObserver,
  work: (recorder: BuildRecorder) => Promise<T>,
): Promise<T> {
  const recorder = new BuildRecorder(session, observer);
  let result: T;
  try {
    result = await work(recorder);
  } catch (error) {
    try {
      // When a stored shard went away, the work only begins again.
      if (!(error instanceof ShardGone)) recorder.save("stopped");
    } catch {
      // What went wrong first is what has to be told.
    }
    throw error;
  }
  try {
    recorder.save(result.status, result.actions);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const help = "the outputs are not affected; theta why cannot tell of this build";
    observer.diagnostic({
      code: "build-not-recorded",
      severity: "warning",
      message: `what this build did was not recorded: ${systemErrorText(error)}`,
      help,
    });
  }
  return result;
}
