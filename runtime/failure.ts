// How a command ends when it cannot do its work: an exit code of the documented list and a sentence for people.

import type { DiagnosticCode } from "../dsl/diagnostic-codes.ts";
import type { Span } from "../dsl/source.ts";

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

/** Every code of a failure, with the exit codes that it may have. README.md lists them. */
export const FAILURES = {
  "other-bits": [EXIT.verification],
  "input-digest-false": [EXIT.verification],
  usage: [EXIT.usage],
  "bad-glob": [EXIT.usage],
  "bad-parameter": [EXIT.usage],
  "no-such-directory": [EXIT.usage],
  "no-such-isa": [EXIT.usage],
  "no-such-name": [EXIT.usage],
  "no-such-output": [EXIT.usage],
  "no-such-tensor": [EXIT.usage],
  "bad-size": [EXIT.usage, EXIT.config],
  "no-such-device": [EXIT.usage, EXIT.config],
  "size-range": [EXIT.usage, EXIT.config],
  "threads-range": [EXIT.usage, EXIT.config],
  "bad-lock-file": [EXIT.input],
  "bad-parameter-file": [EXIT.input],
  "bad-vector": [EXIT.input],
  "input-changed": [EXIT.input],
  "lock-file-missing": [EXIT.input],
  "lock-mismatch": [EXIT.input],
  "recipe-missing": [EXIT.input],
  "addon-missing": [EXIT.internal],
  internal: [EXIT.internal],
  "disk-full": [EXIT.resources],
  "out-of-memory": [EXIT.resources],
  "too-many-files": [EXIT.resources],
  exists: [EXIT.output],
  "foreign-file": [EXIT.output],
  "lock-file-not-writable": [EXIT.output],
  "no-temporary-directory": [EXIT.output],
  "output-not-ours": [EXIT.output],
  "output-not-writable": [EXIT.output],
  "shard-gone": [EXIT.output],
  "stdout-not-writable": [EXIT.output],
  "store-not-readable": [EXIT.output],
  "store-not-writable": [EXIT.output],
  "store-version": [EXIT.output],
  unwritable: [EXIT.output],
  "index-locked": [EXIT.locked],
  "output-locked": [EXIT.locked],
  "config-invalid": [EXIT.config],
  "config-is-a-program": [EXIT.config],
  "config-unreadable": [EXIT.config],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** A failure may also have the code of a diagnostic, where it is told only once the work has begun. */
type FailureCode = keyof typeof FAILURES | DiagnosticCode;

type ExitOf<Code> = Code extends keyof typeof FAILURES ? (typeof FAILURES)[Code][number] : number;

interface FailureDetails<Code extends FailureCode> {
  /** Kebab-case and stable, like a diagnostic's. */
  readonly code: Code;
  /** What of the recipe it is about. */
  readonly span?: Span;
  /** What to do. */
  readonly help?: string;
  /** Aligned lines under the message. */
  readonly facts?: readonly string[];
}

/** Expected failures only; anything else that is thrown is a bug and ends in exit code 70. */
export class Failure<Code extends FailureCode = FailureCode> extends Error {
  readonly exitCode: number;
  readonly details: FailureDetails<Code>;

  constructor(exitCode: ExitOf<Code>, message: string, details: FailureDetails<Code>, cause?: unknown) {
    super(message, { cause });
    this.name = "Failure";
    this.exitCode = exitCode;
    this.details = details;
  }
}

/** What `instanceof` tells, without the `any` that it gives a class with a parameter. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Failure;
}
