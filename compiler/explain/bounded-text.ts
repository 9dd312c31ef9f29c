// Text that ends where people stop reading. Whoever writes it looks whether it is full and then writes no more, so a
// value costs no more time than its text has characters, whatever it is made of.

import { shortened } from "../../dsl/shortened.ts";

/** In UTF-16 units; a line of forty arms with their numbers. */
const LONGEST = 1000;

export class BoundedText {
  #text = "";
  readonly #most: number;
  /** Whether what has a name is told by it, however short it is: where names are defined. */
  readonly byName: boolean;

  constructor(most = LONGEST, byName = false) {
    this.#most = most;
    this.byName = byName;
  }

  get isFull(): boolean {
    return this.#text.length > this.#most;
  }

  /** How much more fits. */
  get left(): number {
    return Math.max(this.#most - this.#text.length, 0);
  }

  put(text: string): void {
    if (!this.isFull) this.#text += text;
  }

  /** The last character is "…" where something was cut off. */
  get text(): string {
    return shortened(this.#text, this.#most);
  }
}
