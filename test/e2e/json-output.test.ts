// What programs read: every verb's JSON names its schema first, a build's stream ends in a summary whatever happens, and
// graphs are what their formats say.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { f32, makeModelDirectory } from "../support/tensors.ts";
import { copyExample } from "./example-copy.ts";
import { THETA, testEnvironment, type ThetaRun } from "./theta-process.ts";
import { useSession } from "./theta-session.ts";

const session = useSession();
let example: string;
let space: string;
beforeAll(() => {
  example = copyExample("tiny-llama");
  space = mkdtempSync(join(tmpdir(), "theta-json-"));
});
afterAll(() => {
  rmSync(dirname(example), { recursive: true, force: true });
  rmSync(space, { recursive: true, force: true });
});

function linesOf({ stdout }: ThetaRun): readonly Record<string, unknown>[] {
  expect(stdout.endsWith("\n")).toBe(true);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A project whose one merge overflows float16 when `weight` is large. */
function overflowing(): string {
  const directory = mkdtempSync(join(space, "project-"));
  makeModelDirectory(join(directory, "a"), { "x.weight": f32([2], [60000, 1]) });
  makeModelDirectory(join(directory, "b"), { "x.weight": f32([2], [60000, 2]) });
  writeFileSync(
    join(directory, "merge.theta"),
    `theta 1\nbase a = "a"\nmodel b = "b"\nmerge it = linear(a, b, weight: [1, 1], normalize: false)\noutput "out" = it { dtype f16 }\n`,
  );
  return directory;
}

test("plan --json counts the buffers of tensors of one shape by what is asked for of each", async () => {
  const directory = mkdtempSync(join(space, "project-"));
  const zeros = f32([200_000], Array<number>(200_000).fill(0));
  for (const name of ["a", "b"]) makeModelDirectory(join(directory, name), { "x.weight": zeros, "y.weight": zeros });
  const peak = async (density: string): Promise<unknown> => {
    const mask = `mask magnitude(density: match("x*": ${density}, else: 0.2))`;
    const recipe = `theta 1\nbase a = "a"\nmodel b = "b"\nmerge m onto a using sum { b ${mask} }\noutput "out" = m\n`;
    writeFileSync(join(directory, "merge.theta"), recipe);
    return linesOf(await session(directory, ["plan", "--json", "--threads", "1"]))[0]!["peak_memory"];
  };
  // The mask keeps nothing of x; y needs as much as before.
  expect(await peak("0.0000001")).toBe(await peak("0.2"));
});

describe("build --json", () => {
  const SUMMARY = {
    type: "summary",
    actions: { cutoff: 0, remote_hit: 0 },
    bytes: {},
  };

  test("ends in a summary when all is well, and plan gave the same counts before", async () => {
    const [plan] = linesOf(await session(example, ["plan", "--json"]));
    const lines = linesOf(await session(example, ["build", "--json"]));
    expect(lines[0]).toMatchObject({ type: "version", schema: "theta.build/1" });
    expect(lines.filter(({ type }) => type === "summary")).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ ...SUMMARY, status: "done", actions: { run: 78, up_to_date: 0 } });
    expect(lines.filter(({ type }) => type === "action")).toHaveLength(78);
    expect(plan).toMatchObject({ schema: "theta.plan/1", ok: true, actions: { run: 78, up_to_date: 0 } });
    expect(Object.keys(plan!)[0]).toBe("schema");
    const again = linesOf(await session(example, ["build", "--json"]));
    expect(again.at(-1)).toMatchObject({ status: "done", actions: { run: 0, up_to_date: 78 } });
  });

  test.each<readonly [what: string, args: readonly string[], exitCode: number]>([
    ["no recipe", ["nowhere.theta"], 66],
    ["a wrong parameter", ["-p", "c_weight=3"], 65],
    ["a setting out of range", ["--memory", "1MiB"], 64],
    ["a store that cannot be", ["--store", "/proc/store"], 73],
  ])("ends in a summary also with %s", async (_, args, exitCode) => {
    const run = await session(example, ["build", "--json", ...args]);
    expect(run.code).toBe(exitCode);
    const lines = linesOf(run);
    expect(lines[0]).toHaveProperty("schema", "theta.build/1");
    expect(lines.at(-1)).toMatchObject({ ...SUMMARY, status: "failed", outputs: [] });
  });

  test("tells each gate when it is judged, and all in the summary; plan tells how they stand", async () => {
    const gate = { output: "dist/assistant", gate: "cosine(llama) > 0.99999", metric: "cosine", each: false };
    const run = await session(example, ["build", "--json", "-p", "min_cosine=0.99999"]);
    expect(run.code).toBe(1);
    const lines = linesOf(run);
    const [finite, cosine] = lines.filter(({ type }) => type === "gate");
    expect(finite).toMatchObject({ gate: "finite", passed: true, value: 0, tensors: 39, failing: 0, worst: [] });
    expect(cosine).toMatchObject({ ...gate, operator: ">", bound: 0.99999, passed: false, tensors: 39 });
    expect(cosine!["value"]).toBeCloseTo(0.99997, 5);
    const worst = cosine!["worst"] as readonly { tensor: string; value: number }[];
    expect(worst[0]!.tensor).toBe("model.layers.0.self_attn.v_proj.weight");
    const { gates, outputs, status } = lines.at(-1) as { gates: object[]; outputs: object[]; status: string };
    expect(status).toBe("failed");
    expect(gates).toMatchObject([{ gate: "finite" }, gate]);
    expect(outputs).toMatchObject([{ path: "dist/soup" }]);
    expect(lines.find(({ type }) => type === "diagnostic")).toMatchObject({
      code: "gate-failed",
      span: { path: "merge.theta", start: { column: 3 } },
    });
    const [plan] = linesOf(await session(example, ["plan", "--json", "-p", "min_cosine=0.99999"]));
    const planned = plan!["outputs"] as readonly { gates: readonly object[] }[];
    expect(planned[0]!.gates).toMatchObject([{ gate: "finite", state: "holds" }, { state: "fails" }]);
    expect(planned[1]!.gates).toEqual([]);
    expect((await session(example, ["plan", "--detailed-exitcode", "-p", "min_cosine=0.99999"])).code).toBe(2);
    // Another output alone has no gate.
    const only = await session(example, ["build", "--json", "-p", "min_cosine=0.99999", "--only", "dist/soup"]);
    expect(only.code).toBe(0);
    expect(linesOf(only).at(-1)).toMatchObject({ status: "done", gates: [] });
  });

  test("ends in a summary when a tensor fails, exit code 1", async () => {
    const run = await session(overflowing(), ["build", "--json"]);
    expect(run.code, run.stderr).toBe(1);
    const lines = linesOf(run);
    expect(lines.at(-1)).toMatchObject({ ...SUMMARY, status: "failed", actions: { run: 1 }, outputs: [] });
    expect(lines.filter(({ type }) => type === "diagnostic")).toHaveLength(1);
  });
});

describe("plan", () => {
  test("--detailed-exitcode tells work from none", async () => {
    expect((await session(example, ["build"])).code).toBe(0);
    expect((await session(example, ["plan", "--detailed-exitcode"])).code).toBe(0);
    expect((await session(example, ["plan", "--detailed-exitcode", "-p", "c_weight=0.25"])).code).toBe(2);
    expect((await session(example, ["plan", "-p", "c_weight=0.25"])).code).toBe(0);
  });

  test("--hash turns what is unknown into what is known", async () => {
    const store = ["--store", join(space, "hash-store")];
    expect((await session(example, ["build", ...store])).code).toBe(0);
    const copy = copyExample("tiny-llama");
    const plan = async (...args: string[]) => linesOf(await session(copy, ["plan", "--json", ...store, ...args]))[0]!;
    // The same bytes under other identities: only reading them can tell.
    const before = (await plan()) as { actions: { unknown: number }; bytes: { hash: number } };
    expect(before.actions.unknown).toBeGreaterThan(0);
    expect(before.bytes.hash).toBeGreaterThan(0);
    expect(await plan("--hash")).toMatchObject({ actions: { unknown: 0, run: 0 }, bytes: { hash: 0, read: 0 } });
    rmSync(dirname(copy), { recursive: true, force: true });
  });
});

test("check --json lists outputs' diagnostics", async () => {
  const [good] = linesOf(await session(example, ["check", "--json"]));
  expect(good).toEqual({ schema: "theta.check/1", ok: true, diagnostics: [] });
  const [bad] = linesOf(await session(example, ["check", "--json", "-p", "c_weight=3"]));
  expect(bad).toMatchObject({
    schema: "theta.check/1",
    ok: false,
    diagnostics: [
      {
        code: "parameter-range",
        severity: "error",
        path: "-p",
        span: { path: "-p", start: { line: 1, column: 10 }, end: { line: 1, column: 11 } },
      },
    ],
  });
});

describe.each(["recipe", "tensor"])("explain --level %s", (level) => {
  const explain = async (format: string, ...args: string[]): Promise<string> => {
    const run = await session(example, ["explain", "--level", level, "--format", format, ...args]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    return run.stdout;
  };

  test("text names the outputs", async () => {
    expect(await explain("text")).toContain("dist/assistant");
  });

  test("json names its schema first", async () => {
    expect(Object.keys(JSON.parse(await explain("json")) as object)[0]).toBe("schema");
    expect(JSON.parse((await session(example, ["explain", "--level", level, "--json"])).stdout)).toHaveProperty(
      "schema",
    );
  });

  test("dot parses, and every edge joins nodes that there are", async () => {
    const { nodes, edges } = parseDot(await explain("dot"));
    expect(nodes.size).toBeGreaterThan(5);
    expect(edges.length).toBeGreaterThan(4);
    for (const end of edges.flat()) expect(nodes).toContain(end);
  });

  test("mermaid is a flowchart whose arrows join nodes that there are", async () => {
    const [head, ...lines] = (await explain("mermaid")).trimEnd().split("\n");
    expect(head).toMatch(/^(?:flowchart|graph) (?:LR|TD|TB)$/);
    const ids = new Set(lines.flatMap((line) => /^\s*(\w+)(?:\[|\(|\{|>)/.exec(line)?.[1] ?? []));
    const arrows = lines.flatMap((line) => {
      const arrow = /^\s*(\w+) (?:-->|---|-\.->|==>)(?:\|"[^"]*"\|)? (\w+)$/.exec(line);
      return arrow ? [[arrow[1]!, arrow[2]!]] : [];
    });
    expect(arrows.length).toBeGreaterThan(4);
    for (const end of arrows.flat()) expect(ids).toContain(end);
  });
});

test("a reader that goes away is no error", () => {
  for (const args of ["explain --level tensor --format json", "plan -v", "check --json"]) {
    const shell = `"$0" "$1" ${args} | head -c 1; echo; echo "\${PIPESTATUS[0]}"`;
    const run = spawnSync("bash", ["-c", shell, process.execPath, THETA], {
      cwd: example,
      encoding: "utf8",
      env: testEnvironment({}),
    });
    expect(run.stderr).not.toContain("error");
    expect(run.stdout.split("\n")[1]).toBe("0");
  }
});

interface Dot {
  readonly nodes: ReadonlySet<string>;
  readonly edges: readonly (readonly [string, string])[];
}

/** The part of the language that a graph of boxes needs, strictly: an error throws. */
function parseDot(text: string): Dot {
  const token = /\s*(?:"((?:[^"\\]|\\.)*)"|(\w+)|(->|[{}[\];=,]))/y;
  const tokens: { readonly text: string; readonly sign: boolean }[] = [];
  while (token.lastIndex < text.trimEnd().length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`no token at ${JSON.stringify(text.slice(at, at + 40))}`);
    tokens.push({ text: match[1] ?? match[2] ?? match[3]!, sign: match[3] !== undefined });
  }
  let next = 0;
  const nodes = new Set<string>();
  const edges: (readonly [string, string])[] = [];
  const is = (sign: string): boolean => tokens[next]?.sign === true && tokens[next]!.text === sign;
  const take = (sign: string): void => {
    if (!is(sign)) throw new Error(`expected ${sign}, found ${tokens[next]?.text}`);
    next++;
  };
  const name = (): string => {
    const found = tokens[next++];
    if (found === undefined || found.sign) throw new Error(`expected a name, found ${found?.text}`);
    return found.text;
  };
  const attributes = (): void => {
    if (!is("[")) return;
    next++;
    while (!is("]")) {
      name();
      take("=");
      name();
      if (is(",") || is(";")) next++;
    }
    next++;
  };
  const block = (): void => {
    take("{");
    while (!is("}")) {
      const first = name();
      if (first === "subgraph") {
        name();
        block();
      } else if (is("=")) {
        next++;
        name();
      } else if (is("->")) {
        next++;
        edges.push([first, name()]);
        attributes();
      } else {
        if (!["node", "edge", "graph"].includes(first)) nodes.add(first);
        attributes();
      }
      if (is(";")) next++;
    }
    next++;
  };
  if (name() !== "digraph") throw new Error("not a digraph");
  if (!is("{")) name();
  block();
  if (next !== tokens.length) throw new Error("text behind the graph");
  return { nodes, edges };
}
