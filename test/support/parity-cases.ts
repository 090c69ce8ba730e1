// Every layer the fused engine runs, in every option it takes: the rows of the parity suite and of docs/engine.md.

import { Config } from "../../shared/model/engine/config.js";
import type { Shape } from "../../shared/model/engine/layer.js";
import { layerKinds } from "../../shared/model/engine/layers/registry.js";
import { sizeOf } from "../../shared/params/spec.js";
import type { JsonObject } from "../../shared/task/task.js";
import { layer, type ParityCase, sequential } from "./parity.js";

/** A case by its title, "Layer: option". */
export type NamedCase = readonly [title: string, given: ParityCase];

const l1l2 = { class_name: "L1L2", config: { l1: 0.01, l2: 0.02 } };
const ACTIVATIONS = "linear relu sigmoid tanh elu selu relu6 hard_sigmoid softplus softsign softmax".split(
  " ",
);

function shapeAfter(shape: Shape, layers: readonly JsonObject[]): Shape {
  return layers.reduce<Shape>((input, { class_name, config }) => {
    return layerKinds[String(class_name)]!(new Config(config as JsonObject), [input]).output;
  }, shape);
}

// Between a layer under test and the loss lies a dense layer, so that its gradient is no simple one.
function within(title: string, shape: readonly number[], ...layers: readonly JsonObject[]): NamedCase {
  const width = sizeOf(shape);
  // tfjs refuses to flatten what is flat.
  const isFlat = shapeAfter(shape, layers).length === 1;
  const topology = sequential(
    shape,
    ...layers,
    ...(isFlat ? [] : [layer("Flatten")]),
    layer("Dense", { units: 3 }),
  );
  return [title, { topology, inputs: width, outputs: 3, loss: "meanSquaredError" }];
}

const dense = (options: JsonObject) => layer("Dense", { units: 7, ...options });

const denseCases: readonly NamedCase[] = [
  ...ACTIVATIONS.map((activation) => within(`Dense: ${activation}`, [5], dense({ activation }))),
  within("Dense: no bias", [5], dense({ use_bias: false })),
  within("Dense: L1 and L2", [5], dense({ kernel_regularizer: l1l2, bias_regularizer: l1l2 })),
  within("Dense: not trainable", [5], dense({}), dense({ trainable: false }), dense({})),
  within("Dense: over a sequence", [4, 5], dense({ activation: "tanh" })),
  within(
    "TimeDistributed(Dense)",
    [4, 5],
    layer("TimeDistributed", { layer: dense({ activation: "tanh" }) }),
  ),
];

const activationCases: readonly NamedCase[] = [
  ...ACTIVATIONS.map((activation) =>
    within(`Activation: ${activation}`, [5], dense({}), layer("Activation", { activation })),
  ),
  within("ReLU", [5], dense({}), layer("ReLU")),
  within("ReLU: max 6", [5], dense({}), layer("ReLU", { max_value: 6 })),
  within("LeakyReLU", [5], dense({}), layer("LeakyReLU", { alpha: 0.2 })),
  within("ELU", [5], dense({}), layer("ELU", { alpha: 1 })),
  within("Softmax", [5], dense({}), layer("Softmax")),
  within("Softmax: of a sequence", [3, 5], dense({}), layer("Softmax", { axis: -1 })),
  within("PReLU", [5], dense({}), layer("PReLU")),
  within("PReLU: of a sequence", [3, 5], dense({}), layer("PReLU", { alpha_regularizer: l1l2 })),
  within("PReLU: shared along a sequence", [3, 5], dense({}), layer("PReLU", { shared_axes: [1] })),
  within("PReLU: shared along channels", [3, 5], dense({}), layer("PReLU", { shared_axes: 2 })),
  within(
    "PReLU: shared over an image, L1 and L2",
    [4, 3, 2],
    layer("Conv2D", { filters: 5, kernel_size: [1, 1] }),
    layer("PReLU", { shared_axes: [1, 2], alpha_regularizer: l1l2 }),
  ),
  within(
    "PReLU: shared along the outer axes",
    [4, 3, 2],
    layer("Conv2D", { filters: 5, kernel_size: [1, 1] }),
    layer("PReLU", { shared_axes: [1, 3] }),
  ),
  within("PReLU: one slope", [3, 5], dense({}), layer("PReLU", { shared_axes: [2, 1] })),
  within(
    "PReLU: shared, not trainable",
    [3, 5],
    dense({}),
    layer("PReLU", { shared_axes: [1], trainable: false }),
  ),
];

const shapeCases: readonly NamedCase[] = [
  within("Reshape", [12], dense({ units: 12 }), layer("Reshape", { target_shape: [3, 4] }), dense({})),
  within("Flatten", [3, 4], dense({}), layer("Flatten"), dense({})),
  within("RepeatVector", [5], dense({}), layer("RepeatVector", { n: 4 }), dense({})),
];

const convolutionCases: readonly NamedCase[] = [
  ...["valid", "same"].flatMap((padding) =>
    [1, 2, 3].flatMap((stride) => [
      within(
        `Conv1D: ${padding}, stride ${stride}`,
        [11, 3],
        layer("Conv1D", { filters: 6, kernel_size: [4], strides: [stride], padding, activation: "tanh" }),
        layer("Conv1D", { filters: 5, kernel_size: [2], strides: [1], padding }),
      ),
      within(
        `Conv2D: ${padding}, stride ${stride}`,
        [9, 8, 2],
        layer("Conv2D", { filters: 3, kernel_size: [2, 2], padding, activation: "tanh" }),
        layer("Conv2D", { filters: 9, kernel_size: [3, 2], strides: [stride, stride], padding }),
      ),
      within(
        `DepthwiseConv2D: ${padding}, stride ${stride}`,
        [7, 8, 5],
        layer("Conv2D", { filters: 5, kernel_size: [1, 1] }),
        layer("DepthwiseConv2D", {
          kernel_size: [3, 3],
          strides: [stride, stride],
          padding,
          activation: "tanh",
        }),
      ),
      within(
        `SeparableConv2D: ${padding}, stride ${stride}`,
        [7, 8, 3],
        layer("Conv2D", { filters: 3, kernel_size: [1, 1] }),
        layer("SeparableConv2D", { filters: 6, kernel_size: [3, 3], strides: [stride, stride], padding }),
      ),
    ]),
  ),
  within(
    "Conv2D: strides of two sizes",
    [9, 8, 2],
    layer("Conv2D", { filters: 2, kernel_size: [1, 1] }),
    layer("Conv2D", { filters: 3, kernel_size: [3, 3], strides: [1, 2] }),
  ),
  within(
    "Conv2D: no bias, L1 and L2",
    [5, 5, 2],
    layer("Conv2D", { filters: 4, kernel_size: [3, 3], use_bias: false, kernel_regularizer: l1l2 }),
  ),
  within(
    "DepthwiseConv2D: multiplier",
    [5, 5, 3],
    layer("Conv2D", { filters: 3, kernel_size: [1, 1] }),
    layer("DepthwiseConv2D", { kernel_size: [2, 2], depth_multiplier: 2, depthwise_regularizer: l1l2 }),
  ),
  within(
    "SeparableConv2D: L1 and L2",
    [5, 5, 3],
    layer("Conv2D", { filters: 3, kernel_size: [1, 1] }),
    layer("SeparableConv2D", {
      filters: 4,
      kernel_size: [2, 2],
      activation: "relu",
      depthwise_regularizer: l1l2,
      pointwise_regularizer: l1l2,
    }),
  ),
];

const poolCases: readonly NamedCase[] = ["Max", "Average"].flatMap((kind) => [
  ...["valid", "same"].flatMap((padding) => [
    within(
      `${kind}Pooling1D: ${padding}`,
      [9, 5],
      dense({}),
      layer(`${kind}Pooling1D`, { pool_size: [2], strides: [2], padding }),
    ),
    within(
      `${kind}Pooling1D: overlapping, ${padding}`,
      [9, 5],
      dense({}),
      layer(`${kind}Pooling1D`, { pool_size: [3], strides: [2], padding }),
    ),
    within(
      `${kind}Pooling2D: ${padding}`,
      [7, 6, 3],
      dense({}),
      layer(`${kind}Pooling2D`, { pool_size: [2, 2], strides: [2, 2], padding }),
    ),
    within(
      `${kind}Pooling2D: overlapping, ${padding}`,
      [7, 6, 3],
      dense({}),
      layer(`${kind}Pooling2D`, { pool_size: [3, 2], strides: [1, 2], padding }),
    ),
  ]),
  within(`Global${kind}Pooling1D`, [9, 5], dense({}), layer(`Global${kind}Pooling1D`)),
  within(`Global${kind}Pooling2D`, [7, 6, 3], dense({}), layer(`Global${kind}Pooling2D`)),
]);

// A bias before a normalisation has no effect: its gradient is rounding, which nobody can compare.
const unbiased = dense({ use_bias: false });

const normalizationCases: readonly NamedCase[] = [
  ...["BatchNormalization", "LayerNormalization"].flatMap((kind) => [
    within(kind, [5], unbiased, layer(kind), dense({ activation: "tanh" })),
    within(`${kind}: of a sequence`, [4, 5], unbiased, layer(kind)),
    within(
      `${kind}: L1 and L2`,
      [5],
      unbiased,
      layer(kind, { gamma_regularizer: l1l2, beta_regularizer: l1l2 }),
    ),
  ]),
  within("BatchNormalization: momentum", [5], unbiased, layer("BatchNormalization", { momentum: 0.7 })),
];

/** What tfjs 4.22 computes wrongly or not at all: our gradients are compared with finite differences. */
export const uncheckedCases: readonly NamedCase[] = [
  // Its gradient of padded average pooling divides by the whole window, its forward pass by what lies inside.
  ...poolCases.filter(([title]) => hasWrongGradientInTfjs(title)),
  ...["BatchNormalization", "LayerNormalization"].flatMap((kind) => [
    within(`${kind}: no scale`, [5], unbiased, layer(kind, { scale: false }), dense({})),
    within(`${kind}: no shift`, [5], unbiased, layer(kind, { center: false, epsilon: 0.01 }), dense({})),
    within(`${kind}: neither`, [5], unbiased, layer(kind, { center: false, scale: false }), dense({})),
  ]),
  within(
    "Dropout",
    [5],
    dense({ units: 20 }),
    layer("Dropout", { rate: 0.3 }),
    dense({ activation: "tanh" }),
  ),
  within("Dropout: of a sequence", [4, 5], dense({}), layer("Dropout", { rate: 0.5 }), dense({})),
];

/** True for cases of which tfjs gives the outputs, but another gradient. */
export function hasWrongGradientInTfjs(title: string): boolean {
  return title.startsWith("AveragePooling") && title.includes("same");
}

const recurrentCases: readonly NamedCase[] = ["SimpleRNN", "GRU", "LSTM"].flatMap((kind) => {
  const fixed: JsonObject = kind === "GRU" ? { reset_after: false } : {};
  const cell = (options: JsonObject) => layer(kind, { units: 6, ...fixed, ...options });
  const gate: JsonObject = kind === "SimpleRNN" ? {} : { recurrent_activation: "sigmoid" };
  return [
    within(kind, [5, 3], cell({})),
    within(`${kind}: sigmoid, elu`, [5, 3], cell({ ...gate, activation: "elu" })),
    within(`${kind}: sequences`, [5, 3], cell({ return_sequences: true }), cell({ units: 4 })),
    within(
      `${kind}: backwards`,
      [5, 3],
      dense({ units: 3 }),
      cell({ go_backwards: true, return_sequences: true }),
      cell({}),
    ),
    within(`${kind}: no bias`, [4, 3], cell({ use_bias: false })),
    ...["concat", "sum", "ave", "mul"].flatMap((merge_mode) => [
      within(
        `Bidirectional(${kind}): ${merge_mode}`,
        [5, 3],
        dense({ units: 3 }),
        layer("Bidirectional", { merge_mode, layer: cell({}) }),
      ),
      within(
        `Bidirectional(${kind}): ${merge_mode}, sequences`,
        [5, 3],
        layer("Bidirectional", { merge_mode, layer: cell({ return_sequences: true }) }),
      ),
    ]),
  ];
});

const embeddingCases: readonly NamedCase[] = [
  ["Embedding", "flat"],
  ["Embedding: into GRU", "gru"],
].map(([title, kind]) => {
  const table = layer("Embedding", { input_dim: 9, output_dim: 4, embeddings_regularizer: l1l2 });
  const rest = kind === "gru" ? [layer("GRU", { units: 5, reset_after: false })] : [];
  const [, given] = within(title!, [6], table, ...rest);
  return [title!, { ...given, draw: (random) => random.integer(9) }];
});

function functional(
  name: string,
  layers: readonly (readonly [JsonObject, readonly string[]])[],
  output: string,
): JsonObject {
  return {
    class_name: "Model",
    config: {
      name,
      layers: layers.map(([{ class_name = "", config = {} }, inputs]) => ({
        ...{ name: (config as JsonObject).name!, class_name, config },
        inbound_nodes: inputs.length === 0 ? [] : [inputs.map((from) => [from, 0, 0, {}])],
      })),
      input_layers: [["in", 0, 0]],
      output_layers: [[output, 0, 0]],
    },
  };
}

const input = (shape: readonly number[]) =>
  layer("InputLayer", { batch_input_shape: [null, ...shape], dtype: "float32", sparse: false, name: "in" });
const named = (name: string, className: string, config: JsonObject = {}) =>
  layer(className, { ...config, name });

const graphCases: readonly NamedCase[] = [
  [
    "Add: a residual block",
    {
      topology: functional(
        "residual",
        [
          [input([5]), []],
          [named("a", "Dense", { units: 6, activation: "tanh" }), ["in"]],
          [named("b", "Dense", { units: 6, activation: "relu" }), ["a"]],
          [named("sum", "Add"), ["a", "b"]],
          [named("out", "Dense", { units: 2 }), ["sum"]],
        ],
        "out",
      ),
      ...{ inputs: 5, outputs: 2, loss: "meanSquaredError" },
    },
  ],
  [
    "Concatenate: two branches and the input",
    {
      topology: functional(
        "branches",
        [
          [input([4, 5]), []],
          [named("right", "Dense", { units: 3 }), ["in"]],
          [named("left", "Dense", { units: 6, activation: "tanh" }), ["in"]],
          [named("far", "Dense", { units: 2, activation: "relu" }), ["left"]],
          [named("join", "Concatenate", { axis: -1 }), ["far", "in", "right"]],
          [named("flat", "Flatten"), ["join"]],
          [named("out", "Dense", { units: 2 }), ["flat"]],
        ],
        "out",
      ),
      ...{ inputs: 20, outputs: 2, loss: "meanSquaredError" },
    },
  ],
];

const lossCases: readonly NamedCase[] = (
  [
    ["meanSquaredError", "linear"],
    ["meanAbsoluteError", "linear"],
    ["huber", "linear"],
    ["binaryCrossentropy", "sigmoid"],
    ["categoricalCrossentropy", "softmax"],
    ["sparseCategoricalCrossentropy", "softmax"],
  ] as const
).map(([loss, activation]) => {
  const topology = sequential([5], dense({ activation: "tanh" }), layer("Dense", { units: 4, activation }));
  return [`loss ${loss}`, { topology, inputs: 5, outputs: 4, loss }];
});

/** All cases. */
export const parityCases: readonly NamedCase[] = [
  ...denseCases,
  ...activationCases,
  ...shapeCases,
  ...convolutionCases,
  ...poolCases,
  ...normalizationCases,
  ...recurrentCases,
  ...embeddingCases,
  ...graphCases,
  ...lossCases,
];
