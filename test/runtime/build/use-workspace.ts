// A workspace for each test of a file. Not in workspace.ts, which processes that run no tests import too.

import { afterEach, beforeEach } from "vitest";
import { makeRoot, Workspace } from "./workspace.ts";

/** One object for all tests of the file. Before each it gets a directory of its own, which `prepare` fills. */
export function useWorkspace(prepare: (space: Workspace) => void | Promise<void> = () => undefined): Workspace {
  const space = new Workspace("");
  beforeEach(async () => {
    space.root = makeRoot();
    await prepare(space);
  });
  afterEach(() => space.remove());
  return space;
}
