import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EMPTY_JOURNAL, Journal, journaledWeakKeys, readJournal } from "../../../runtime/store/journal.ts";
import { tensorRecord } from "./records.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const HEADER = { schema: "theta.journal/1", layout: "layout", boot: "boot" } as const;

function write(...names: readonly string[]): string {
  const path = scratch("x.journal");
  const journal = new Journal(path, HEADER, readJournal(path));
  for (const name of names) journal.add(tensorRecord(name));
  journal.close();
  return path;
}

test("gives back what was written", () => {
  const { header, tensors } = readJournal(write("a", "b"));
  expect(header).toEqual(HEADER);
  expect([...tensors.values()]).toEqual([tensorRecord("a"), tensorRecord("b")]);
});

test("forgets a torn last line and goes on before it", () => {
  const path = write("a", "b");
  truncateSync(path, readFileSync(path).length - 5);
  expect([...readJournal(path).tensors.keys()]).toEqual(["a"]);
  write("c");
  expect([...readJournal(path).tensors.keys()]).toEqual(["a", "c"]);
});

test("believes nothing behind a line whose checksum is wrong", () => {
  const path = write("a");
  appendFileSync(path, `0123456789abcdef ${JSON.stringify(tensorRecord("planted"))}\n`);
  write("b");
  expect([...readJournal(path).tensors.keys()]).toEqual(["a", "b"]);
});

test("is empty where no file lies, or something else does", () => {
  expect(readJournal(scratch("none.journal"))).toEqual(EMPTY_JOURNAL);
  writeFileSync(scratch("x.journal"), "\0\0\0\0 no journal\nat all\n");
  expect(readJournal(scratch("x.journal"))).toEqual(EMPTY_JOURNAL);
});

test("lists the weak keys of all journals of a folder", () => {
  write("a", "b");
  writeFileSync(scratch("x.partial"), "bytes");
  expect(journaledWeakKeys(scratch())).toEqual(new Set(["weak key of a", "weak key of b"]));
});
