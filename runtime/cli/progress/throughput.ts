// How far the work is, how fast, and how long it will take, in words.

import { counted } from "../../../dsl/counted.ts";
import { formatBytes, formatSeconds } from "../../size.ts";

interface Throughput {
  /** Starts counting towards a total. */
  total(actions: number, bytes: number): void;
  actionDone(): void;
  bytesDone(bytes: number): void;
  /** `12/201 tensors  1.20 GiB of 2.05 GiB  850 MiB/s  3.1 s left` */
  describe(): string;
}

/** Speed is an average over the last seconds, so that it follows a disk that slows down. */
const WINDOW_SECONDS = 5;

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
      samples.push({ at, bytes });
      while (samples.length > 2 && at - samples[1]!.at > WINDOW_SECONDS) samples.shift();
    },
    describe() {
      const parts = [`${actions}/${counted(wanted.actions, "tensor")}`];
      if (bytes > 0) parts.push(`${formatBytes(Math.min(bytes, wanted.bytes))} of ${formatBytes(wanted.bytes)}`);
      const first = samples[0];
      const last = samples.at(-1);
      if (first !== undefined && last !== undefined && last.at - first.at > 0.2 && last.bytes > first.bytes) {
        const speed = (last.bytes - first.bytes) / (last.at - first.at);
        parts.push(`${formatBytes(Math.round(speed))}/s`);
        const left = (wanted.bytes - bytes) / speed;
        if (left > 0.5) parts.push(`${formatSeconds(left)} left`);
      }
      return parts.join("  ");
    },
  };
}
