import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineModel, modelSignature } from "../../../../shared/model/define.js";
import type { ModelSpec } from "../../../../shared/task/task.js";

const hidden = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 });
const regression = { kind: "regression", loss: "meanSquaredError" } as const;

function dense(layers: readonly number[], output: ModelSpec["output"] = regression): ModelSpec {
  return { kind: "dense", hidden: layers, activation: "relu", output };
}

describe("defineModel", () => {
  test("a dense network has one Dense layer per hidden width and one for the output", () => {
    fc.assert(
      fc.property(hidden, fc.integer({ min: 1, max: 9 }), (widths, inputs) => {
        const { topology } = defineModel(dense(widths), inputs);
        const units = layersOf(topology).map(({ config }) => config.units);
        expect(units).toEqual([...widths, 1]);
        expect(layersOf(topology)[0]?.config.batch_input_shape).toEqual([null, inputs]);
      }),
    );
  });

  test("a classifier ends in a softmax over its classes, a regression in one linear unit", () => {
    const classifier = defineModel(dense([4], { kind: "classification", classes: 3 }), 2);
    expect(classifier.outputs).toBe(3);
    expect(layersOf(classifier.topology).at(-1)?.config).toMatchObject({ units: 3, activation: "softmax" });
    const regressor = defineModel(dense([4]), 2);
    expect(regressor.outputs).toBe(1);
    expect(layersOf(regressor.topology).at(-1)?.config).toMatchObject({ units: 1, activation: "linear" });
  });

  test("a binary output is one sigmoid, whatever lies before it", () => {
    const output = { kind: "binary" } as const;
    const gru = { kind: "gru", steps: 2, units: [3] } as const;
    const stacked = {
      kind: "stacked",
      front: gru,
      hidden: [],
      activation: "relu",
      dropout: 0,
      output,
    } as const;
    for (const spec of [dense([4], output), stacked]) {
      const { topology, outputs } = defineModel(spec, 2);
      expect(outputs).toBe(1);
      expect(layersOf(topology).at(-1)?.config).toMatchObject({ units: 1, activation: "sigmoid" });
    }
  });

  test("the topology hash follows widths, activation and output, and nothing else", () => {
    const hash = defineModel(dense([4]), 2).topologyHash;
    expect(defineModel(dense([4]), 2).topologyHash).toBe(hash);
    expect(defineModel(dense([5]), 2).topologyHash).not.toBe(hash);
    expect(defineModel(dense([4]), 3).topologyHash).not.toBe(hash);
    expect(
      defineModel(dense([4], { kind: "regression", loss: "meanAbsoluteError" }), 2).topologyHash,
    ).not.toBe(hash);
  });

  test("a given topology hashes the same whichever tfjs wrote it, wrapped in a model.json or not", () => {
    const { topology } = defineModel(dense([4]), 2);
    const given = (wrapped: typeof topology) =>
      defineModel({ kind: "layers", topology: wrapped, output: regression }, 2).topologyHash;
    const hash = given(topology);
    expect(given({ ...topology, keras_version: "tfjs-layers 4.22.0", backend: "tensor_flow.js" })).toBe(hash);
    expect(given({ model_config: topology, training_config: {} })).toBe(hash);
  });
});

test("a model signature follows every one of its three hashes", () => {
  const hashes = { pipelineHash: "a", scalerHash: "b", topologyHash: "c" };
  const signatures = [
    hashes,
    { ...hashes, pipelineHash: "x" },
    { ...hashes, scalerHash: "x" },
    { ...hashes, topologyHash: "x" },
  ].map(modelSignature);
  expect(new Set(signatures).size).toBe(4);
});

interface LayerJson {
  readonly config: {
    readonly units: number;
    readonly activation: string;
    readonly batch_input_shape: unknown;
  };
}

function layersOf(topology: unknown): readonly LayerJson[] {
  return (topology as { config: { layers: LayerJson[] } }).config.layers;
}
