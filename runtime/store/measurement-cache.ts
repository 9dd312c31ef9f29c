// What was measured of tensors, by what was measured: see runtime/gates/measurement.ts. Kept in the index alone; losing it
// costs a reading.

import { decodeChecked, encodeChecked } from "./checked-json.ts";
import type { IndexDatabase } from "./index-database.ts";

export class MeasurementCache {
  readonly #index: IndexDatabase;

  constructor(index: IndexDatabase) {
    this.#index = index;
  }

  /** Those that are known, by key. */
  load(keys: readonly string[]): ReadonlyMap<string, readonly number[]> {
    const found = new Map<string, readonly number[]>();
    for (const { key, content } of this.#index.measurements(keys)) {
      const numbers = decode(content, key);
      if (numbers !== undefined) found.set(key, numbers);
    }
    return found;
  }

  save(measured: ReadonlyMap<string, readonly number[]>): void {
    if (measured.size === 0) return;
    this.#index.saveMeasurements([...measured].map(([key, numbers]) => ({ key, content: encode(key, numbers) })));
  }
}

/** With its key and a checksum: a false number would let a gate pass, so no byte of it may change unseen. */
function encode(key: string, numbers: readonly number[]): string {
  // In their shortest form, which reads back to the same float64, also where JSON has no number for it.
  return encodeChecked({ key, numbers: numbers.map(String) });
}

function decode(content: string, key: string): readonly number[] | undefined {
  const known = decodeChecked(content) as { readonly key: string; readonly numbers: readonly string[] } | undefined;
  return known?.key === key ? known.numbers.map(Number) : undefined;
}
