// How a command ends when it cannot do its work: an exit code of the documented list and a sentence for people.

/** The contract with scripts; README.md lists it. */
export const EXIT = {
  done: 0,
  /** A node (NaN, overflow), a gate or a check that was asked for failed. */
  failed: 1,
  /** `plan --detailed-exitcode`: there is work. */
  work: 2,
  /** A digest does not match, or two runs of one action gave other bits. */
  verification: 3,
  usage: 64,
  recipe: 65,
  input: 66,
  internal: 70,
  /** Out of memory or disk. */
  resources: 71,
  /** Output or store cannot be written, or is not ours. */
  output: 73,
  /** A lock is held and `--no-wait` was given. */
  locked: 75,
  config: 78,
} as const;

interface FailureDetails {
  /** Kebab-case and stable, like a diagnostic's. */
  readonly code: string;
  /** What to do. */
  readonly help?: string;
  /** Aligned lines under the message. */
  readonly facts?: readonly string[];
}

/** Expected failures only; anything else that is thrown is a bug and ends in exit code 70. */
export class Failure extends Error {
  readonly exitCode: number;
  readonly details: FailureDetails;

  constructor(exitCode: number, message: string, details: FailureDetails, cause?: unknown) {
    super(message, { cause });
    this.name = "Failure";
    this.exitCode = exitCode;
    this.details = details;
  }
}
