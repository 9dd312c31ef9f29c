// `npm run docs`: writes the parts of the reference that are made from the sources. Runs in the repository's root.

import { readFileSync, writeFileSync } from "node:fs";
import { replaceSection, SECTIONS } from "./reference-sections.ts";

for (const section of SECTIONS) {
  writeFileSync(section.file, replaceSection(readFileSync(section.file, "utf8"), section));
}
