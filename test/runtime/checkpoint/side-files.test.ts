import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { torchDtypes, withDtype } from "../../../runtime/checkpoint/config-dtype.ts";
import { type SideFileDonors, sideFiles } from "../../../runtime/checkpoint/side-files.ts";
import { f32, makeModelDirectory } from "../../support/tensors.ts";

let space: string;
beforeEach(() => void (space = mkdtempSync(join(tmpdir(), "theta-side-"))));
afterEach(() => rmSync(space, { recursive: true }));

const donor = (name: string) => ({ path: join(space, name), display: name });

function make(name: string, files: readonly string[], config: object = { torch_dtype: "float16" }): void {
  const contents = Object.fromEntries(files.map((file) => [file, `${file} of ${name}`]));
  makeModelDirectory(join(space, name), { a: f32([1], [1]) }, { config, files: contents });
}

/** "name ← donor", or the content where it is written anew. */
function list(donors: SideFileDonors, dtypes: string[] = ["F32"]): readonly string[] {
  const files = sideFiles(donors, new Map(dtypes.map((dtype) => [dtype, 1])), [], new Map());
  if ("code" in files) throw new Error(`${files.code}: ${files.message}`);
  return files.map((file) =>
    "content" in file
      ? `${file.name} = ${Buffer.from(file.content).toString().replaceAll(/\s+/g, "")}`
      : `${file.name} ← ${file.copyOf.slice(space.length + 1)}`,
  );
}

const GOOD = [
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
  "chat_template.jinja",
  "LICENSE",
  "modeling_x.py",
];
const BAD = [
  "pytorch_model.bin",
  "m.gguf",
  "README.md",
  "training_args.bin",
  "model.safetensors.index.json",
  "optimizer.pt",
  "theta.json",
  ".git/config",
  "notes.txt",
  "adapter_config.json",
  "trainer_state.json",
];

test("what belongs to the model comes along, nothing else", () => {
  make("m", [...GOOD, ...BAD, "additional_chat_templates/rag.jinja"]);
  expect(list({ model: donor("m") })).toMatchInlineSnapshot(`
    [
      "LICENSE ← m/LICENSE",
      "additional_chat_templates/rag.jinja ← m/additional_chat_templates/rag.jinja",
      "chat_template.jinja ← m/chat_template.jinja",
      "config.json = {"torch_dtype":"float32"}",
      "generation_config.json ← m/generation_config.json",
      "modeling_x.py ← m/modeling_x.py",
      "tokenizer.json ← m/tokenizer.json",
      "tokenizer_config.json ← m/tokenizer_config.json",
    ]
  `);
});

test("another tokenizer replaces all of the model's, another configuration all the rest", () => {
  make("m", ["tokenizer.json", "merges.txt", "generation_config.json", "LICENSE"]);
  make("t", ["tokenizer.json", "tokenizer.model", "generation_config.json"]);
  make("c", ["tokenizer.json", "generation_config.json"], { dtype: "bfloat16" });
  expect(list({ model: donor("m"), tokenizer: donor("t"), config: donor("c") })).toMatchInlineSnapshot(`
    [
      "config.json = {"dtype":"float32"}",
      "generation_config.json ← c/generation_config.json",
      "tokenizer.json ← t/tokenizer.json",
      "tokenizer.model ← t/tokenizer.model",
    ]
  `);
});

test("links are followed, and one that leads nowhere is an error", () => {
  make("m", []);
  mkdirSync(join(space, "blobs"));
  writeFileSync(join(space, "blobs/0"), "{}");
  symlinkSync("../blobs/0", join(space, "m/tokenizer.json"));
  expect(list({ model: donor("m") })).toContain("tokenizer.json ← m/tokenizer.json");
  symlinkSync("../blobs/1", join(space, "m/vocab.json"));
  expect(() => list({ model: donor("m") })).toThrow("m/vocab.json is a symbolic link that leads nowhere");
});

test("a donor of one file gives what lies beside it", () => {
  make("m", ["tokenizer.json"]);
  expect(list({ model: donor("m/model.safetensors") })).toContain("tokenizer.json ← m/tokenizer.json");
});

test("a tokenizer donor without a tokenizer is an error", () => {
  make("m", []);
  make("t", []);
  expect(() => list({ model: donor("m"), tokenizer: donor("t") })).toThrow("t holds no tokenizer files");
});

test("the dtype is corrected in place, character by character", () => {
  const text =
    '{\r\n\t"torch_dtype" :  "float16", "n": 1.50,\n  "text_config": {"dtype": "float32"}, "quantization_config": {"dtype": "x"},\n "a": {"dtype": "y"}, "dtype": null }\n\n';
  expect(withDtype(text, { all: new Set(["bfloat16"]), main: "bfloat16" }, "config.json")).toBe(
    '{\r\n\t"torch_dtype" :  "bfloat16", "n": 1.50,\n  "text_config": {"dtype": "bfloat16"}, "quantization_config": {"dtype": "x"},\n "a": {"dtype": "y"}, "dtype": null }\n\n',
  );
});

test("what is the dtype of no tensor gives way to that of most bytes", () => {
  const said = (bytes: Record<string, number>, stated: string): string => {
    const text = JSON.stringify({ torch_dtype: stated });
    const dtypes = torchDtypes(new Map(Object.entries(bytes)));
    const written = dtypes === undefined ? text : withDtype(text, dtypes, "config.json");
    return (JSON.parse(written) as { torch_dtype: string }).torch_dtype;
  };
  expect(said({ BF16: 2, I64: 8 }, "float16")).toBe("bfloat16");
  expect(said({ F32: 1, BF16: 8 }, "float16")).toBe("bfloat16");
  expect(said({ F32: 9, BF16: 8 }, "float16")).toBe("float32");
  expect(said({ F32: 9, BF16: 8 }, "bfloat16")).toBe("bfloat16");
  expect(said({ F8_E4M3: 1 }, "bfloat16")).toBe("float8_e4m3fn");
  expect(said({ F8_E8M0: 1 }, "bfloat16")).toBe("bfloat16");
  expect(said({ I64: 1 }, "bfloat16")).toBe("bfloat16");
});

test("a changed number of layers is said once: params.json stays behind", () => {
  make("m", ["params.json"], { num_hidden_layers: 2, torch_dtype: "float16" });
  const changes = [{ path: ["num_hidden_layers"], json: "3" }];
  const files = sideFiles(
    { model: donor("m") },
    new Map([
      ["F32", 1],
      ["F16", 1],
    ]),
    changes,
    new Map(),
  );
  if ("code" in files) throw new Error(files.message);
  expect(files.map(({ name }) => name)).toEqual(["config.json"]);
  expect("content" in files[0]! && JSON.parse(Buffer.from(files[0].content).toString())).toEqual({
    num_hidden_layers: 3,
    torch_dtype: "float16",
  });
});
