import { describe, expect, test } from "vitest";
import { planModel } from "../../../../../shared/model/engine/plan.js";
import type { JsonObject } from "../../../../../shared/task/task.js";
import { definitionOf, layer, sequential } from "../../../../support/parity.js";

function reasons(topology: JsonObject, inputs = 20, outputs = 1): readonly string[] {
  const planned = planModel(definitionOf({ topology, inputs, outputs, loss: "meanSquaredError" }));
  return planned.ok ? [] : planned.reasons;
}

const dense = (config: JsonObject = {}) => layer("Dense", { units: 1, name: "out", ...config });

describe("what is not understood to the last option is refused by name", () => {
  test.each<readonly [string, JsonObject, string]>([
    ["an option nobody knows", dense({ quantized: true }), 'layer "out" (Dense): option quantized true'],
    ["an unknown activation", dense({ activation: "mish" }), 'layer "out" (Dense): option activation "mish"'],
    [
      "a constraint",
      dense({ kernel_constraint: { class_name: "NonNeg", config: {} } }),
      "option kernel_constraint",
    ],
    ["a width that is none", dense({ units: 0 }), 'layer "out" (Dense): option units 0'],
    [
      "a regularizer of another kind",
      dense({ kernel_regularizer: { class_name: "Own", config: {} } }),
      "option kernel_regularizer",
    ],
    ["a layer nobody knows", layer("Own", { name: "mine" }), 'layer "mine" (Own): not among the layers'],
    [
      "a layer named like a method",
      layer("constructor", { name: "x" }),
      'layer "x" (constructor): not among',
    ],
    ["noise over part of a row", layer("Dropout", { rate: 0.5, noise_shape: [1] }), "option noise_shape [1]"],
  ])("%s", (_title, under, reason) => {
    const [first = ""] = reasons(sequential([20], under));
    expect(first).toContain(reason);
  });

  test.each<readonly [string, JsonObject, string]>([
    [
      "dilation",
      layer("Conv1D", { filters: 2, kernel_size: [2], dilation_rate: [2] }),
      "option dilation_rate [2]",
    ],
    [
      "causal padding",
      layer("Conv1D", { filters: 2, kernel_size: [2], padding: "causal" }),
      'option padding "causal"',
    ],
    [
      "channels first",
      layer("Conv1D", { filters: 2, kernel_size: [2], data_format: "channels_first" }),
      "option data_format",
    ],
    [
      "a kernel wider than the input",
      layer("Conv1D", { filters: 2, kernel_size: [6] }),
      "option kernel_size [6] on an input of [5, 4]",
    ],
    ["a GRU that resets after", layer("GRU", { units: 2, reset_after: true }), "option reset_after true"],
    [
      "recurrent dropout",
      layer("LSTM", { units: 2, recurrent_dropout: 0.1 }),
      "option recurrent_dropout 0.1",
    ],
    ["state between batches", layer("LSTM", { units: 2, stateful: true }), "option stateful true"],
    ["another axis", layer("BatchNormalization", { axis: 1 }), "option axis 1"],
    [
      "a target that does not fit",
      layer("Reshape", { target_shape: [3, 7] }),
      "option target_shape [3,7] of [5, 4]",
    ],
    ["slopes shared along the batch", layer("PReLU", { shared_axes: [0] }), "option shared_axes [0]"],
    ["slopes shared along no axis", layer("PReLU", { shared_axes: [1, 3] }), "option shared_axes [1,3]"],
    [
      "both ways merged as nobody does",
      layer("Bidirectional", { layer: layer("GRU", { units: 2 }), merge_mode: "max" }),
      'option merge_mode "max"',
    ],
    [
      "both ways apart",
      layer("Bidirectional", { layer: layer("GRU", { units: 2 }), merge_mode: null }),
      "option merge_mode null",
    ],
    [
      "a wrapped layer of another kind",
      layer("TimeDistributed", { layer: layer("Conv1D") }),
      "option layer Conv1D",
    ],
  ])("%s", (_title, under, reason) => {
    const [first = ""] = reasons(sequential([5, 4], under));
    expect(first).toContain(reason);
  });

  test("every such layer has its line", () => {
    const topology = sequential(
      [20],
      layer("Own", { name: "a" }),
      layer("Dense", { name: "b", units: 2, activation: "mish" }),
    );
    expect(reasons(topology)).toEqual(['layer "a" (Own): not among the layers of the fused engine']);
    const both = sequential(
      [20],
      layer("Dense", { name: "b", units: 2, activation: "mish" }),
      layer("Own", { name: "a" }),
    );
    expect(reasons(both)).toHaveLength(2);
  });
});

describe("a topology that is none", () => {
  test.each<readonly [string, JsonObject]>([
    ["nothing", {}],
    ["no layers", { class_name: "Sequential", config: { name: "x", layers: [] } }],
    ["layers that are no objects", { class_name: "Sequential", config: { layers: [1, "a", null] } }],
    ["no input shape", { class_name: "Sequential", config: { layers: [dense()] } }],
    ["a functional model without links", { class_name: "Model", config: { layers: [dense()] } }],
    ["an input of unknown length", sequential([-1], dense())],
  ])("%s is not supported, and says why", (_title, topology) => {
    const [first] = reasons(topology);
    expect(first).toMatch(/\w/);
  });

  test("a width that does not fit the rows names both", () => {
    expect(reasons(sequential([21], dense()))).toEqual([
      "the topology's input shape [21] holds 21 values, expected 20",
    ]);
  });

  test("a layer that feeds itself is refused", () => {
    const link = (name: string) => [[[name, 0, 0, {}]]];
    const config = { name: "a", units: 2 };
    const layers = [{ name: "a", class_name: "Dense", config, inbound_nodes: link("a") }];
    const ends = { input_layers: [["a", 0, 0]], output_layers: [["a", 0, 0]] };
    expect(reasons({ class_name: "Model", config: { name: "loop", layers, ...ends } })).toEqual([
      'layer "a" feeds itself',
    ]);
  });
});
