// The closed list of reasons why a node runs, or does not; `plan` prints them today.

/** Why a node runs. */
export type RunReason =
  | "no-record"
  | "output-missing"
  | "output-corrupt"
  | "input-changed"
  | "input-added"
  | "input-removed"
  | "param-changed"
  | "program-changed"
  | "op-revision-changed"
  | "dtype-changed"
  | "evicted"
  | "forced"
  | "derived";

/** Why a node does not run; `cutoff`: an input ran again and produced the same bytes. */
export type HitReason = "up-to-date" | "local-hit" | "remote-hit" | "cutoff";

/** As in the summary of `build --json`. */
export interface ActionCounts {
  readonly run: number;
  readonly up_to_date: number;
  readonly cutoff: number;
  readonly local_hit: number;
  readonly remote_hit: number;
}
