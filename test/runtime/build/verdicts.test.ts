// NaN, overflow, empty masks, integers that differ: judged from counters, on a hit exactly as on a run.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { f16, f32, raw } from "../../support/tensors.ts";
import { useWorkspace } from "./use-workspace.ts";

const space = useWorkspace();

test("NaN in an input fails the node and names tensor, model, place and number", async () => {
  space.write("base", { w: f32([2, 3], [1, 2, 3, 4, 5, 6]) });
  space.write("tune", { w: f32([2, 3], [1, 2, 3, 4, NaN, NaN]) });
  const result = await space.build({ outputs: ["dist/m"] });
  expect(result.status).toBe("failed");
  expect(result.outputs).toEqual([]);
  expect(existsSync(space.path("dist/m"))).toBe(false);
  expect(result.diagnostics).toMatchObject([
    {
      code: "nan-in-input",
      severity: "error",
      message: "w of tune holds NaN",
      span: { source: { text: "tune" } },
      facts: ["NaN       2 elements, the first at [1, 1]", `in        ${space.path("tune/model.safetensors")}`],
    },
  ]);
});

test("policies that change no byte can be flipped on a warm cache", async () => {
  space.write("base", { w: f32([2], [1, 2]) });
  space.write("tune", { w: f32([2], [1, NaN]) });
  expect((await space.build({ outputs: ["dist/m"], nan: "propagate" })).status).toBe("done");
  const strict = await space.build({ outputs: ["dist/m"] });
  expect(strict).toMatchObject({ status: "failed", actions: { run: 0 }, bytes: { read: 0, hashed: 0 } });
  expect(strict.diagnostics.map(({ code }) => code)).toEqual(["nan-in-input"]);
  const lenient = await space.build({ outputs: ["dist/m"], nan: "propagate" });
  expect(lenient).toMatchObject({ status: "done", actions: { run: 0 }, diagnostics: [] });
});

test("a failed node keeps its result: allowing it later runs nothing", async () => {
  space.write("base", { w: f32([2], [1, 2]) });
  space.write("tune", { w: f32([2], [1, Infinity]) });
  expect((await space.build({ outputs: ["dist/m"] })).status).toBe("failed");
  expect(await space.build({ outputs: ["dist/m"], nan: "propagate", overflow: "inf" })).toMatchObject({
    status: "done",
    actions: { run: 0 },
  });
});

test("overflow fails the node, and the output keeps its previous content", async () => {
  space.write("base", { w: f16([2], [0, 0]) });
  space.write("tune", { w: f16([2], [1, 60000]) });
  await space.build({ outputs: ["dist/m"] });
  const before = readFileSync(space.path("dist/m/model.safetensors"));
  const result = await space.build({ outputs: ["dist/m"], weight: 2 });
  expect(result.status).toBe("failed");
  expect(result.diagnostics.map(({ message }) => message)).toEqual([
    'w of "dist/m" does not fit f16: 1 element overflow, the first at [1]',
  ]);
  expect(result.diagnostics[0]!.span!.source.text).toBe("dist/m");
  expect(readFileSync(space.path("dist/m/model.safetensors"))).toEqual(before);
  expect(await space.build({ outputs: ["dist/m"], weight: 2, overflow: "inf" })).toMatchObject({ actions: { run: 0 } });
});

test("integers that differ between models are an error, equal ones are not", async () => {
  const same = { w: f32([1], [1]), ids: raw("I32", [1], [7, 0, 0, 0]) };
  space.write("base", same);
  space.write("tune", { ...same, ids: raw("I32", [1], [8, 0, 0, 0]) });
  const recipe = { outputs: ["dist/m"], mustEqual: ["ids"] };
  const result = await space.build(recipe);
  expect(result.status).toBe("failed");
  expect(result.diagnostics.map(({ message }) => message)).toEqual([
    "ids holds i32, which cannot be merged, and the models differ in it",
  ]);
  expect(result.diagnostics[0]!.span!.source.text).toBe("tune");
  space.write("tune", same);
  expect((await space.build(recipe)).status).toBe("done");
  expect((await space.build(recipe)).phases).toEqual(["look-up"]);
});
