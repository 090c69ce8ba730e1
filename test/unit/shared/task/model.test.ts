import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";

function modelOf(model: string, label = "{ field: z }", more = "") {
  return parseTask(`task: lab
entity: "{topic.1}"
sources: { air: { mqtt: "air/+", time: { field: ts, unit: s } } }
features: { from: air, list: [{ copy: [a, b] }] }
label: ${label}
model: ${model}
${more}
`).task;
}

describe("models", () => {
  test.each<readonly [string, object]>([
    ["{ dense: [4] }", { kind: "dense", hidden: [4], activation: "relu" }],
    ["{ dense: [4], dropout: 0.2 }", { kind: "stacked", front: { kind: "none" }, hidden: [4], dropout: 0.2 }],
    [
      "{ conv1d: { steps: 2, filters: [3], kernel: 2 }, dense: [4] }",
      { kind: "stacked", front: { kind: "conv1d", steps: 2, filters: [3], kernel: 2, pool: 2 }, hidden: [4] },
    ],
    [
      "{ gru: { steps: 2, units: [3] } }",
      { front: { kind: "gru", steps: 2, units: [3] }, hidden: [], dropout: 0 },
    ],
    ["{ lstm: { steps: 1, units: [3, 4] } }", { front: { kind: "lstm", steps: 1, units: [3, 4] } }],
    [
      "{ cnn: { shape: [1, 2, 1], filters: [3], kernel: 1 } }",
      { front: { kind: "cnn", shape: [1, 2, 1], filters: [3], kernel: 1, pool: 2 } },
    ],
  ])("%s", (written, meant) => {
    expect(modelOf(written).model).toMatchObject(meant);
  });

  test.each([
    "dense: [4]",
    "dense: [4], dropout: 0.2",
    "conv1d: { steps: 2, filters: [3], kernel: 2 }",
    "gru: { steps: 2, units: [3] }",
    "lstm: { steps: 2, units: [3] }",
    "cnn: { shape: [1, 2, 1], filters: [3], kernel: 1 }",
    "layers: { class_name: Sequential, config: {} }",
  ])("{ %s } may have a binary output", (written) => {
    expect(modelOf(`{ ${written}, output: binary }`).model.output).toEqual({ kind: "binary" });
  });

  test("an autoencoder reconstructs, and has no label", () => {
    const { model, label } = modelOf(
      "{ autoencoder: [3, 2], output: { regression: { loss: huber } } }",
      "none",
    );
    expect(model).toMatchObject({
      kind: "autoencoder",
      encoder: [3, 2],
      output: { kind: "reconstruction", loss: "huber" },
    });
    expect(label.kind).toBe("none");
  });

  test.each<readonly [string, string, string]>([
    ["{}", "{ field: z }", "expected one of dense, autoencoder, layers, conv1d, gru, lstm, cnn"],
    [
      "{ gru: { steps: 1, units: [2] }, lstm: { steps: 1, units: [2] } }",
      "{ field: z }",
      "expected at most one of",
    ],
    ["{ autoencoder: [2] }", "{ field: z }", "label: an autoencoder has none: expected none"],
    ["{ dense: [2] }", "none", "label: none is for an autoencoder only"],
    ["{ autoencoder: [2], dense: [3] }", "none", "neither dense layers nor dropout"],
    ["{ autoencoder: [2], output: { classification: 3 } }", "none", "an autoencoder gives numbers"],
    ["{ autoencoder: [2], output: binary }", "none", "an autoencoder gives numbers"],
    ["{ dense: [2], output: binary }", "none", "label: none is for an autoencoder only"],
    [
      "{ dense: [2], output: binery }",
      "{ field: z }",
      'model.output: expected "regression", "binary", {regression: {loss}} or {classification: 10}',
    ],
    ["{ dense: [2], output: { binary: {} } }", "{ field: z }", "model.output"],
    [
      "{ dense: [2], output: binary }",
      "{ field: z, scale: standard }",
      'label.scale: a label of 0 or 1 is never scaled: expected "none"',
    ],
    [
      "{ dense: [2], output: binary }",
      "{ field: { of: z, max: 1 } }",
      "label.field: a label of 0 or 1 is never clamped",
    ],
    [
      "{ dense: [2], output: { classification: 3 } }",
      "{ field: { of: z, min: 0.5 } }",
      "label.field: a class index is never clamped",
    ],
    ["{ dense: [2], dropout: 1 }", "{ field: z }", "dropout"],
  ])("%s with label %s is refused", (model, label, message) => {
    expect(() => modelOf(model, label)).toThrow(message);
  });
});

describe("training", () => {
  test.each<readonly [string, object]>([
    ["{ optimizer: { rmsprop: { learningRate: 0.1 } } }", { kind: "rmsprop", learningRate: 0.1, decay: 0.9 }],
    ["{ optimizer: { adagrad: 0.1 } }", { kind: "adagrad", learningRate: 0.1 }],
    [
      "{ optimizer: { momentum: { learningRate: 0.1 } } }",
      { kind: "momentum", learningRate: 0.1, momentum: 0.9 },
    ],
    [
      "{ optimizer: { momentum: { learningRate: 0.1, nesterov: true } } }",
      { kind: "momentum", learningRate: 0.1, momentum: 0.9, nesterov: true },
    ],
  ])("%s", (written, meant) => {
    expect(modelOf("{ dense: [4] }", "{ field: z }", `train: ${written}`).train.optimizer).toEqual(meant);
  });

  test("clipping", () => {
    const clipOf = (written: string) =>
      modelOf("{ dense: [4] }", "{ field: z }", `train: { clip: ${written} }`).train.clip;
    expect(clipOf("{ norm: 1 }")).toEqual({ kind: "norm", max: 1 });
    expect(clipOf("{ value: 0.5 }")).toEqual({ kind: "value", max: 0.5 });
    expect(() => clipOf("{ norm: 0 }")).toThrow("clip.norm");
  });
});
