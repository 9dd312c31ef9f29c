// All of them, for whoever runs them in another way.

import { HOSTILE_ADAPTERS } from "./hostile-adapters.ts";
import { HOSTILE_DIRECTORIES } from "./hostile-directories.ts";
import { HOSTILE_HEADERS } from "./hostile-headers.ts";
import { HOSTILE_TENSORS } from "./hostile-tensors.ts";
import type { HostileSource } from "./hostile-source.ts";

export const HOSTILE_SOURCES: readonly HostileSource[] = [
  ...HOSTILE_HEADERS,
  ...HOSTILE_TENSORS,
  ...HOSTILE_DIRECTORIES,
  ...HOSTILE_ADAPTERS,
];
