// A process that collects garbage until it is killed: see gc-beside-builds.test.ts. Argument: the store.

import { writeSync } from "node:fs";
import { loadAddon } from "../../../native/index.ts";
import { collectGarbage } from "../../../runtime/store/collect-garbage.ts";
import { withStore } from "../../../runtime/store/store.ts";

const addon = loadAddon();
const never = new AbortController().signal;
for (;;) {
  const { victims } = await withStore(process.argv[2]!, addon, (store) =>
    collectGarbage(addon, store, { maxSize: 0, maxAge: 0 }, never),
  );
  writeSync(1, `${victims.length}\n`);
}
