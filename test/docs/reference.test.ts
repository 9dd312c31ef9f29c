// The parts of METHODS.md and LANGUAGE.md that come from the sources are as the sources are now, and the list of codes
// holds none that nothing reports. That it lacks none is the type checker's work: DiagnosticCode is a closed type.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { METHODS } from "../../compiler/methods/method-table.ts";
import { DIAGNOSTIC_CODES } from "../../dsl/diagnostic-codes.ts";
import { replaceSection, SECTIONS } from "./reference-sections.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

describe("what is made from the sources", () => {
  test.each(SECTIONS.map((section) => [`${section.name} in ${section.file}`, section] as const))("%s", (_, section) => {
    const text = read(section.file);
    expect(replaceSection(text, section), 'run "npm run docs"').toBe(text);
  });

  test("names every method", () => {
    const text = read("METHODS.md");
    expect([...METHODS.keys()].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the list of diagnostic codes", () => {
  const codes = Object.values(DIAGNOSTIC_CODES).flatMap((section) => Object.keys(section));
  // The two files that declare codes without reporting them are left out.
  const declaring = ["dsl/diagnostic-codes.ts", "runtime/checkpoint/problem.ts"];
  const sources = ["dsl", "compiler", "runtime"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith(".ts") && !declaring.includes(name)),
  );
  const words = new Set(sources.flatMap((file) => read(file).match(/"[a-z0-9]+(?:-[a-z0-9]+)*"/g) ?? []));

  test("says each code once", () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  test("holds no code that nothing reports", () => {
    expect(codes.filter((code) => !words.has(`"${code}"`))).toEqual([]);
  });

  test("holds the codes of ranges that are written out, which their type lets through", () => {
    const compiled = sources.filter((file) => !file.startsWith("runtime/"));
    const ranges = compiled.flatMap((file) =>
      [...read(file).matchAll(/code: "([a-z-]+-range)"/g)].map(([, code]) => code!),
    );
    expect(ranges.filter((code) => !codes.includes(code))).toEqual([]);
  });
});
