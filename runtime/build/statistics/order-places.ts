// Places in the canonical order that tensors share: keys are float64's as soon as one tensor's W is. Widening is exact, so
// a place of one width has a counterpart of the other, with the same elements before it.

import type { OrderPlace } from "../../../native/addon-types.ts";

export type Work = "F32" | "F64";

export const LAST_TIE = 0xffff_ffff_ffff_ffffn;
const INFINITY = { F32: 0x7f80_0000n, F64: 0x7ff0_0000_0000_0000n } as const;
const NAN = { F32: 0x7fc0_0000n, F64: 0x7ff8_0000_0000_0000n } as const;
/** No element has it: nothing lies before a cut there. */
const NOTHING = { F32: 0xffff_ffffn, F64: LAST_TIE } as const;

/** Of all elements, the first and the last. */
export function firstPlace(work: Work): OrderPlace {
  return { key: NAN[work], tie: LAST_TIE };
}
export const LAST_PLACE: OrderPlace = { key: 0n, tie: 0n };

/** Cuts, as `TensorCuts` has them. */
export function cutBeforeAll(work: Work): OrderPlace {
  return { key: NOTHING[work], tie: 0n };
}
export const CUT_BEHIND_ALL: OrderPlace = { key: 0n, tie: 0n };

/** The same place for a tensor of another W; as the first of a window, so that no element before it is taken in. */
export function asFirst(place: OrderPlace, from: Work, to: Work): OrderPlace {
  if (from === to) return place;
  if (to === "F64") return { key: widened(place.key), tie: place.tie };
  const { key, exact } = narrowed(place.key);
  return exact ? { key, tie: place.tie } : { key, tie: LAST_TIE };
}

/** As the last of a window: no element behind it is taken in. And as a cut, before which the same elements lie. */
export function asLast(place: OrderPlace, from: Work, to: Work): OrderPlace {
  if (from === to) return place;
  if (to === "F64") return { key: widened(place.key), tie: place.tie };
  const { key, exact } = narrowed(place.key);
  return exact ? { key, tie: place.tie } : { key: key + 1n, tie: 0n };
}

const bits = new DataView(new ArrayBuffer(8));

function widened(key: bigint): bigint {
  if (key > INFINITY.F32) return NAN.F64;
  bits.setUint32(0, Number(key));
  bits.setFloat64(0, bits.getFloat32(0));
  return bits.getBigUint64(0);
}

/** The largest key of float32 that is not above it. */
function narrowed(key: bigint): { readonly key: bigint; readonly exact: boolean } {
  if (key > INFINITY.F64) return { key: NAN.F32, exact: true };
  bits.setBigUint64(0, key);
  const value = bits.getFloat64(0);
  bits.setFloat32(0, value);
  const nearest = bits.getFloat32(0);
  const rounded = BigInt(bits.getUint32(0));
  return nearest > value ? { key: rounded - 1n, exact: false } : { key: rounded, exact: nearest === value };
}
