// The name of libsql's binary must be the one that libsql itself would find.

import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { currentTarget, familySync, GLIBC, MUSL } from "../../../runtime/start/libc-family.ts";

const ofLibsql = createRequire(createRequire(import.meta.url).resolve("libsql"));

test("the C library and the target are those that libsql's own dependencies tell", () => {
  const libc = ofLibsql("detect-libc") as { readonly GLIBC: string; readonly MUSL: string; familySync(): string };
  expect([GLIBC, MUSL]).toEqual([libc.GLIBC, libc.MUSL]);
  expect(familySync()).toBe(libc.familySync());
  expect(currentTarget()).toBe((ofLibsql("@neon-rs/load") as { currentTarget(): string }).currentTarget());
});
