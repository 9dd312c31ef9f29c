// What configurations of released architectures say of layers, and how it is changed.

import { expect, test } from "vitest";
import { layerSettings, withChanges } from "../../../runtime/checkpoint/config-layers.ts";

function said(config: object): Record<string, unknown> {
  return Object.fromEntries(
    layerSettings(JSON.stringify(config, null, 2), "config.json").map(({ path, says }) => [path.join("."), says]),
  );
}

test("counts, in the model's own part and in those of its parts", () => {
  expect(said({ num_hidden_layers: 4, n_layer: 4, vocab_size: 4, num_layers: "4" })).toEqual({
    num_hidden_layers: { kind: "count", layers: 4 },
    n_layer: { kind: "count", layers: 4 },
  });
  expect(said({ text_config: { num_hidden_layers: 3 }, vision_config: { depth: 2 }, other: { n_layers: 9 } })).toEqual({
    "text_config.num_hidden_layers": { kind: "count", layers: 3 },
    "vision_config.depth": { kind: "count", layers: 2 },
  });
});

test("lists with a value for each layer, but none that is only as long", () => {
  const types = ["full_attention", "sliding_attention"];
  const config = {
    num_hidden_layers: 2,
    layer_types: types,
    eos_token_id: [1, 2],
    architectures: ["A", "B"],
    other: [1],
  };
  expect(said(config)).toEqual({
    num_hidden_layers: { kind: "count", layers: 2 },
    layer_types: { kind: "each", elements: ['"full_attention"', '"sliding_attention"'] },
  });
  expect(said({ n_layer: 2, widths: [[1, 2.5e3], { a: null }] })["widths"]).toEqual({
    kind: "each",
    elements: ["[\n      1,\n      2500\n    ]", '{\n      "a": null\n    }'],
  });
});

test("numbers that say what a layer is, where they count", () => {
  expect(
    said({ sliding_window_pattern: 6, first_k_dense_replace: 1, mlp_only_layers: [0], num_kv_shared_layers: 2 }),
  ).toEqual({
    sliding_window_pattern: { kind: "period", every: 6 },
    first_k_dense_replace: { kind: "edge", layers: 1, fromEnd: false },
    mlp_only_layers: { kind: "numbers", layers: [0] },
    num_kv_shared_layers: { kind: "edge", layers: 2, fromEnd: true },
  });
  expect(said({ sliding_window_pattern: 6, layer_types: [] })).toEqual({});
  expect(said({ decoder_sparse_step: 1, first_k_dense_replace: 0, sliding_window_pattern: null })).toEqual({});
  expect(said({ use_sliding_window: false, max_window_layers: 28 })).toEqual({});
  expect(said({ use_sliding_window: true, max_window_layers: 28 })).toEqual({
    max_window_layers: { kind: "edge", layers: 28, fromEnd: false },
  });
});

test("changes leave every other character as it was", () => {
  const text = '{ "n_layer" : 4,\r\n\t"text_config": {"layer_types": ["a",\n"b"], "n_layer":4.0e0}, "ü": [Infinity] }';
  const changes = [
    { path: ["n_layer"], json: "7" },
    { path: ["text_config", "layer_types"], json: '["b"]' },
  ];
  expect(withChanges(text, changes, "config.json")).toBe(
    '{ "n_layer" : 7,\r\n\t"text_config": {"layer_types": ["b"], "n_layer":4.0e0}, "ü": [Infinity] }',
  );
  expect(withChanges(text, [], "config.json")).toBe(text);
  expect(() => withChanges(text, [{ path: ["n_layers"], json: "1" }], "config.json")).toThrow(
    "config.json has changed",
  );
});
