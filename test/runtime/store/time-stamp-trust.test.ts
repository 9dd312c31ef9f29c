import { expect, test } from "vitest";
import { timeStampTrust } from "../../../runtime/store/time-stamp-trust.ts";

const EXT4 = 0xef53;
const OCFS2 = 0x7461636f;

test("time stamps of a local disk are believed; those of a file system that is not known to be one are not", () => {
  expect(timeStampTrust(EXT4, false)).toEqual({ cacheable: true, granularity: 20_000_000n });
  expect(timeStampTrust(OCFS2, false)).toEqual({ cacheable: false, granularity: 2_000_000_000n });
  expect(timeStampTrust(OCFS2, true).cacheable).toBe(true);
  expect(timeStampTrust(0x12345678, false).cacheable).toBe(false);
});
