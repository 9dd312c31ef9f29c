// See theta-session.ts: a line of JSON in, the command's output on both streams, an end mark on both.

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { run } from "../../runtime/cli/run.ts";

for await (const line of createInterface({ input: process.stdin })) {
  const { directory, args } = JSON.parse(line) as { readonly directory: string; readonly args: readonly string[] };
  process.chdir(directory);
  const code = await run(args, new AbortController().signal);
  writeSync(2, `\u001e${code}\u001e\n`);
  writeSync(1, "\u001e\n");
}
