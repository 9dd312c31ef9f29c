// The engine of one build or plan: made when there is work for it, and cancelled with it.

import type { Addon, Engine, EngineOptions, Progress } from "../../native/addon-types.ts";

export class LazyEngine {
  readonly #make: () => Engine;
  readonly #signal: AbortSignal;
  #engine: Engine | undefined;

  constructor(addon: Addon, options: EngineOptions, signal: AbortSignal) {
    this.#make = () => addon.createEngine(options);
    this.#signal = signal;
    signal.addEventListener("abort", this.#cancel);
  }

  /** A function of its own, for those who may need the engine and may not. */
  readonly start = (): Engine => (this.#engine ??= this.#make());

  get started(): Engine | undefined {
    return this.#engine;
  }

  /** Of nothing, before it is started. */
  get progress(): Progress {
    return this.#engine?.progress() ?? { read: 0, hashed: 0, written: 0, copied: 0 };
  }

  /** Call it when no task is outstanding. */
  close(): void {
    this.#signal.removeEventListener("abort", this.#cancel);
    this.#engine?.close();
  }

  readonly #cancel = (): void => this.#engine?.cancel();
}
