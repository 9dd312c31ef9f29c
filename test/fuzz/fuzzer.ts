// What one kind of input has: how it is made, and what must hold for it.

import type { Choices } from "./choices.ts";

/** `Input` survives JSON, so that a failing one can be kept in corpus/. */
export interface Fuzzer<Input> {
  /** How many choices an input takes at most. */
  readonly choices: number;
  make(choices: Choices): Input;
  /** Throws where something does not hold. */
  check(input: Input): void | Promise<void>;
  close(): void;
}

/** What a reader says of a file it refuses must be fit to be printed. */
export function checkProblem(problem: { readonly code: string; readonly message: string }): void {
  const { code, message } = problem;
  if (!/^[a-z0-9-]+$/.test(code)) throw new Error(`no code: ${JSON.stringify(code)}`);
  if (message === "" || message.length > 1000 || /[\p{Cc}\p{Cf}]/u.test(message)) {
    throw new Error(`a message that is not fit to be printed: ${JSON.stringify(message)}`);
  }
}
