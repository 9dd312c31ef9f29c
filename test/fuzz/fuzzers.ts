// The kinds of input by the name that `--only` takes.

import { adapters } from "./adapters.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { headers } from "./headers.ts";
import { indices } from "./indices.ts";
import { recipes } from "./recipes.ts";
import { tasks } from "./tasks.ts";

/** How many of a hundred inputs are of the kind, and what makes its fuzzer. */
export const FUZZERS = {
  recipes: { share: 30, open: recipes },
  headers: { share: 40, open: headers },
  indices: { share: 10, open: indices },
  adapters: { share: 10, open: adapters },
  tasks: { share: 10, open: tasks },
} as const satisfies Readonly<Record<string, { readonly share: number; readonly open: () => Fuzzer<unknown> }>>;

export type Kind = keyof typeof FUZZERS;
export const KINDS = Object.keys(FUZZERS) as readonly Kind[];
