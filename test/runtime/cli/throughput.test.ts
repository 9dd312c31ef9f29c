// Progress in words: what is told when, and what is left out where there is no room.

import { expect, test } from "vitest";
import { createThroughput } from "../../../runtime/cli/progress/throughput.ts";

const MIB = 2 ** 20;

/** Work on 201 tensors of a MiB, at times that the test tells. */
function started() {
  let now = 100;
  const work = createThroughput(() => now);
  work.total(201, 201 * MIB);
  const at = (seconds: number, mebibytes: number): void => {
    now = 100 + seconds;
    work.bytesDone(mebibytes * MIB);
  };
  return { work, at };
}

test("neither speed nor time are guessed before there is something to go by", () => {
  const { work, at } = started();
  expect(work.describe()).toBe("0/201 tensors");
  at(3, 0);
  at(4, 0);
  expect(work.describe()).toBe("0/201 tensors");
  at(4.5, 1);
  expect(work.describe()).toBe("0/201 tensors  1.00 MiB of 201 MiB");
  // The time before the first bytes does not count.
  at(5.5, 11);
  expect(work.describe()).toBe("0/201 tensors  11.0 MiB of 201 MiB  10.0 MiB/s  19 s left");
});

test("the speed is that of the last seconds", () => {
  const { work, at } = started();
  for (let second = 1; second <= 10; second++) at(second, second);
  for (let second = 11; second <= 20; second++) at(second, 10 + (second - 10) * 10);
  for (let done = 0; done < 110; done++) work.actionDone();
  expect(work.describe()).toBe("110/201 tensors  110 MiB of 201 MiB  10.0 MiB/s  9 s left");
});

test("what is done is done, though the last bytes have not been told of", () => {
  const { work, at } = started();
  at(1, 10);
  at(3, 190);
  for (let done = 0; done < 201; done++) work.actionDone();
  expect(work.describe()).toBe("201/201 tensors  201 MiB of 201 MiB  90.0 MiB/s");
});

test.each([
  [100, "0/201 tensors  11.0 MiB of 201 MiB  1.00 MiB/s  3 min 10 s left"],
  [63, "0/201 tensors  11.0 MiB of 201 MiB  1.00 MiB/s  3 min 10 s left"],
  [62, "0/201 tensors  11.0 MiB of 201 MiB  3 min 10 s left"],
  [40, "0/201 tensors  3 min 10 s left"],
  [20, "0/201 tensors"],
  [5, "0/201 tensors"],
])("%i columns hold what matters most", (columns, text) => {
  const { work, at } = started();
  for (let second = 0; second <= 11; second++) at(second, second);
  expect(work.describe(columns)).toBe(text);
});
