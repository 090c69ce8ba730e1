// `model` and `train`: what learns, and how it learns on one device.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import type { ClipSpec, FrontSpec, JsonObject, ModelSpec, OptimizerSpec, OutputSpec } from "../task.js";
import { oneKey } from "./choice.js";

const outputOptions = oneKey({
  regression: z.strictObject({
    loss: z.enum(["meanSquaredError", "meanAbsoluteError", "huber"]).prefault("meanSquaredError"),
  }),
  classification: z.int().min(2).max(10_000).describe("Number of classes: a softmax over class indices."),
});

const output = z
  .union([z.enum(["regression", "binary"]), outputOptions], {
    error: 'expected "regression", "binary", {regression: {loss}} or {classification: 10}',
  })
  .prefault("regression")
  .transform((value): OutputSpec => {
    if (value === "binary") return { kind: "binary" };
    if (value === "regression") return { kind: "regression", loss: "meanSquaredError" };
    if (value.kind === "regression") return { kind: "regression", loss: value.value.loss };
    return { kind: "classification", classes: value.value };
  })
  .describe("What the output means: a number, a class of several, or (binary) the probability of label 1.");

const dense = z
  .array(z.int().min(1).max(16_384))
  .max(16)
  .describe("Units of each hidden layer; [] is a linear model.");

const layers = z
  .record(z.string(), z.json())
  .transform((value): JsonObject => value)
  .describe("A tfjs LayersModel topology: the object under `modelTopology` of a model.json.");

const steps = z
  .int()
  .min(1)
  .max(100_000)
  .describe("Steps of the sequence that a row's columns are read as, oldest first.");
const filters = z.array(z.int().min(1).max(4_096)).min(1).max(16).describe("Filters of each convolution.");
const kernel = z.int().min(1).max(1_000).describe("Width of each convolution.");
const pool = z.int().min(1).max(1_000).prefault(2).describe("Pooling after each convolution but the last.");
const units = z.array(z.int().min(1).max(4_096)).min(1).max(8).describe("Units of each recurrent layer.");

const fronts = {
  conv1d: z.strictObject({ steps, filters, kernel, pool }).optional(),
  gru: z.strictObject({ steps, units }).optional(),
  lstm: z.strictObject({ steps, units }).optional(),
  cnn: z
    .strictObject({
      shape: z.array(z.int().min(1).max(10_000)).length(3).describe("Height, width, channels of the image."),
      filters,
      kernel,
      pool,
    })
    .optional(),
};

const autoencoder = z
  .array(z.int().min(1).max(16_384))
  .min(1)
  .max(8)
  .describe("Widths of the encoder; the decoder mirrors them, and gives the row. The task's label is none.");

const KINDS = ["dense", "autoencoder", "layers", "conv1d", "gru", "lstm", "cnn"] as const;

/** What learns. */
export const model = z
  .strictObject({
    dense: dense.optional(),
    autoencoder: autoencoder.optional(),
    ...fronts,
    activation: z
      .enum(["relu", "tanh", "sigmoid", "linear"])
      .optional()
      .describe("Of the hidden dense layers. Default: relu."),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Share of values dropped before the output layer while training. Srivastava et al. 2014."),
    layers: layers.optional(),
    output,
  })
  .refine((value) => KINDS.some((kind) => value[kind] !== undefined), {
    error: `expected one of ${KINDS.join(", ")}`,
  })
  .refine((value) => KINDS.filter((kind) => kind !== "dense" && value[kind] !== undefined).length <= 1, {
    error: "expected at most one of autoencoder, layers, conv1d, gru, lstm, cnn",
  })
  .refine(
    ({ autoencoder, dense, dropout }) => autoencoder === undefined || (dense ?? dropout) === undefined,
    {
      error: "an autoencoder has neither dense layers nor dropout of its own",
      path: ["autoencoder"],
    },
  )
  .refine(({ autoencoder, output }) => autoencoder === undefined || output.kind === "regression", {
    error: "an autoencoder gives numbers: expected regression",
    path: ["output"],
  })
  .refine((value) => value.layers === undefined || value.dense === undefined, {
    error: 'expected exactly one of "dense" or "layers"',
  })
  .refine((value) => value.layers === undefined || value.activation === undefined, {
    error: "belongs to dense; a topology names its own",
    path: ["activation"],
  })
  .refine((value) => value.layers === undefined || value.dropout === undefined, {
    error: "a topology names its own",
    path: ["dropout"],
  })
  .transform(
    ({ dense: hidden = [], activation = "relu", dropout = 0, layers, output, ...given }): ModelSpec => {
      if (given.autoencoder !== undefined) {
        const loss = output.kind === "regression" ? output.loss : "meanSquaredError";
        return {
          kind: "autoencoder",
          encoder: given.autoencoder,
          activation,
          output: { kind: "reconstruction", loss },
        };
      }
      if (layers !== undefined) return { kind: "layers", topology: layers, output };
      const front = frontOf(given);
      if (front.kind === "none" && dropout === 0) return { kind: "dense", hidden, activation, output };
      return { kind: "stacked", front, hidden, activation, dropout, output };
    },
  )
  .describe(
    "What learns: a dense network, one with convolutions or memory before it, or any tfjs LayersModel.",
  );

function frontOf({
  conv1d,
  gru,
  lstm,
  cnn,
}: { [K in keyof typeof fronts]?: z.output<(typeof fronts)[K]> }): FrontSpec {
  if (conv1d !== undefined) return { kind: "conv1d", ...conv1d };
  if (gru !== undefined) return { kind: "gru", ...gru };
  if (lstm !== undefined) return { kind: "lstm", ...lstm };
  if (cnn !== undefined) return { kind: "cnn", ...cnn };
  return { kind: "none" };
}

/** A step size. */
export const learningRate = z.number().gt(0).max(100);

const optimizer = oneKey({
  sgd: learningRate.describe("Learning rate."),
  momentum: z.strictObject({
    learningRate,
    momentum: z.number().min(0).lt(1).prefault(0.9),
    nesterov: z.boolean().optional().describe("Sutskever et al. 2013. Default: false."),
  }),
  adam: learningRate.describe("Learning rate."),
  rmsprop: z.strictObject({ learningRate, decay: z.number().min(0).lt(1).prefault(0.9) }),
  adagrad: learningRate.describe("Learning rate."),
}).transform((choice): OptimizerSpec => {
  switch (choice.kind) {
    case "sgd":
    case "adam":
    case "adagrad":
      return { kind: choice.kind, learningRate: choice.value };
    case "momentum": {
      const { nesterov, ...rest } = choice.value;
      return { kind: "momentum", ...rest, ...(nesterov && { nesterov }) };
    }
    case "rmsprop":
      return { kind: "rmsprop", ...choice.value };
    default:
      return unreachable(choice);
  }
});

const limit = z.number().gt(0).max(1e6);

const clip = oneKey({
  norm: limit.describe("Of the gradient's Euclidean length over all params."),
  value: limit.describe("Of each of its values."),
}).transform(({ kind, value }): ClipSpec => ({ kind, max: value }));

/** What a plan of training says. */
export const trainFields = {
  epochs: z.int().min(1).max(1_000).describe("Passes over the device's train examples per round."),
  batch: z.int().min(1).max(65_536).describe("Examples per step."),
  optimizer: optimizer.describe("On the device. Its state starts fresh each round."),
  clip: clip.describe("Bounds the gradient of every step. Pascanu et al. 2013."),
} as const;

/** How one device learns in one round. */
export const train = z
  .strictObject({
    epochs: trainFields.epochs.prefault(1),
    batch: trainFields.batch.prefault(32),
    optimizer: trainFields.optimizer.prefault({ sgd: 0.01 }),
    clip: trainFields.clip.optional(),
  })
  .prefault({})
  .describe("How a device learns in one round.");
