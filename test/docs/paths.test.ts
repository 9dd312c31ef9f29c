// What the pages at the top level name is there: files and folders, npm scripts, each other's links.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const pages = readdirSync(root).filter((name) => name.endsWith(".md"));
const read = (name: string): string => readFileSync(join(root, name), "utf8");

describe.each(pages)("%s", (page) => {
  const text = read(page);

  test("names files and folders that are there", () => {
    const named = [...text.matchAll(/`((?:dsl|compiler|runtime|native|test|examples)\/[\w./-]*)`/g)].map(
      ([, path]) => path!,
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("links to files that are there", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("names npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...text.matchAll(/npm (?:run ([\w:]+)|test)/g)].map(([, name]) => name ?? "test");
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
