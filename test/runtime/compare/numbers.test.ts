// Numbers for people never round something to nothing, nor nearly all to all.

import { expect, test } from "vitest";
import {
  countOf,
  formatCosine,
  formatCount,
  formatNumber,
  formatPercent,
  formatShare,
} from "../../../runtime/cli/report/numbers.ts";

test("counts", () => {
  expect([0, 999, 1000, 99_999, 999_999].map(formatCount)).toEqual(["0", "999", "1,000", "99,999", "999,999"]);
  expect([1_000_000, 1_100_048_384].map(formatCount)).toEqual(["1.00 M", "1.10 B"]);
  expect([countOf(1, "tensor"), countOf(2, "tensor")]).toEqual(["1 tensor", "2 tensors"]);
});

test("numbers", () => {
  expect([0, 5, -0.0043945, 999.4, 1234.6, 1e-9, 3.4e38, undefined].map(formatNumber)).toEqual([
    "0",
    "5.00",
    "-0.00439",
    "999",
    "1235",
    "1.00e-9",
    "3.40e+38",
    "-",
  ]);
  expect([0, 0.05, 1.5, undefined].map(formatPercent)).toEqual(["0 %", "5.00 %", "150 %", "-"]);
});

test("shares", () => {
  const shares = [0, 1, 10, 500_000, 999_999, 1_000_000, undefined].map((part) => formatShare(part, 1_000_000));
  expect(shares).toEqual(["0 %", "<0.1 %", "<0.1 %", "50.0 %", ">99.9 %", "100 %", "-"]);
});

test("cosines", () => {
  const cosines = [1, 1 - 2.5e-9, 0.99875, 0, -1, undefined].map(formatCosine);
  expect(cosines).toEqual(["1.000000", "1 - 2.50e-9", "0.998750", "0.000000", "-1.000000", "-"]);
});
