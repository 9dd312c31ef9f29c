// How far the work is, how fast, and how long it will take, in words.

import { counted } from "../../../dsl/counted.ts";
import { formatBytes, formatWholeSeconds } from "../../size.ts";

interface Throughput {
  /** Starts counting towards a total. */
  total(actions: number, bytes: number): void;
  actionDone(): void;
  bytesDone(bytes: number): void;
  /** `12/201 tensors  1.20 GiB of 2.05 GiB  850 MiB/s  4 s left`, or as much of it as so many columns hold. */
  describe(columns?: number): string;
}

/** Speed is an average over the last seconds, so that it follows a disk that slows down. */
const WINDOW_SECONDS = 5;

/** A speed of less time says little; what comes before the first byte says nothing of those that follow. */
const LEAST_SECONDS = 1;

const SEPARATOR = "  ";

export function createThroughput(now: () => number = () => performance.now() / 1000): Throughput {
  let wanted = { actions: 0, bytes: 0 };
  let actions = 0;
  let bytes = 0;
  let samples: { readonly at: number; readonly bytes: number }[] = [];
  return {
    total(actionCount, byteCount) {
      wanted = { actions: actionCount, bytes: byteCount };
      bytes = 0;
      samples = [{ at: now(), bytes }];
    },
    actionDone() {
      actions++;
    },
    bytesDone(count) {
      bytes = count;
      const at = now();
      if (samples.at(-1)?.bytes === 0) samples = [];
      samples.push({ at, bytes });
      while (samples.length > 2 && at - samples[1]!.at > WINDOW_SECONDS) samples.shift();
    },
    describe(columns = Infinity) {
      const parts = [{ text: `${actions}/${counted(wanted.actions, "tensor")}`, matters: 4 }];
      // What the engine tells a few times a second comes behind.
      const done = actions === wanted.actions ? wanted.bytes : Math.min(bytes, wanted.bytes);
      if (done > 0) {
        parts.push({
          text: `${formatBytes(done)} of ${formatBytes(wanted.bytes)}`,
          matters: 2,
        });
      }
      const first = samples[0];
      const last = samples.at(-1);
      if (
        first !== undefined &&
        last !== undefined &&
        last.at - first.at >= LEAST_SECONDS &&
        last.bytes > first.bytes
      ) {
        const speed = (last.bytes - first.bytes) / (last.at - first.at);
        parts.push({ text: `${formatBytes(Math.round(speed))}/s`, matters: 1 });
        const left = (wanted.bytes - done) / speed;
        if (left > 0.5) parts.push({ text: `${formatWholeSeconds(left)} left`, matters: 3 });
      }
      const text = (least: number): string =>
        parts.flatMap((part) => (part.matters >= least ? [part.text] : [])).join(SEPARATOR);
      return text([1, 2, 3].find((least) => text(least).length <= columns) ?? 4);
    },
  };
}
