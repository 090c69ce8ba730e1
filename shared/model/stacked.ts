// Topologies that read a row as a sequence or an image first: convolutions or recurrent layers, then dense ones.

import { unreachable } from "../assert.js";
import { HeadwaterError } from "../error.js";
import { sizeOf } from "../params/spec.js";
import type { FrontSpec, JsonObject, ModelSpec } from "../task/task.js";
import { denseLayer, GLOROT_UNIFORM, type LayerJson, withInput } from "./layer-json.js";
import { outputActivation, outputWidth } from "./output.js";

type StackedSpec = Extract<ModelSpec, { kind: "stacked" }>;

/** The topology of `spec` over rows of `inputs` columns. Throws HeadwaterError `task-invalid` when they do not fit. */
export function stackedTopology(spec: StackedSpec, inputs: number): JsonObject {
  const { front, hidden, activation, dropout, output } = spec;
  const layers = [
    ...frontLayers(front, inputs),
    ...hidden.map((width, at) => denseLayer(`hidden_${at + 1}`, width, activation)),
    ...(dropout === 0 ? [] : [layer("Dropout", "dropout", { rate: dropout, noise_shape: null, seed: null })]),
    denseLayer("output", outputWidth(output, inputs), outputActivation(output)),
  ];
  return { class_name: "Sequential", config: { name: front.kind, layers: withInput(layers, inputs) } };
}

function frontLayers(front: FrontSpec, inputs: number): LayerJson[] {
  switch (front.kind) {
    case "none":
      return [];
    case "conv1d": {
      const { steps, filters, kernel, pool } = front;
      checkWindows("conv1d", { length: steps, what: "steps", count: filters.length, kernel, pool });
      return [
        reshape(sequenceShape(front.kind, steps, inputs)),
        ...blocks(1, { filters, kernel, pool }),
        layer("GlobalAveragePooling1D", "mean"),
      ];
    }
    case "gru":
    case "lstm":
      return [
        reshape(sequenceShape(front.kind, front.steps, inputs)),
        ...recurrentLayers(front.kind, front.units),
      ];
    case "cnn": {
      const { shape, filters, kernel, pool } = front;
      checkImage(shape, inputs);
      const length = Math.min(shape[0]!, shape[1]!);
      checkWindows("cnn", { length, what: "shape", count: filters.length, kernel, pool });
      return [reshape(shape), ...blocks(2, { filters, kernel, pool }), layer("Flatten", "flatten")];
    }
    default:
      return unreachable(front);
  }
}

function sequenceShape(kind: string, steps: number, inputs: number): readonly number[] {
  if (inputs % steps === 0) return [steps, inputs / steps];
  throw new HeadwaterError(
    "task-invalid",
    `model.${kind}.steps ${steps} does not divide the ${inputs} columns`,
  );
}

function checkImage(shape: readonly number[], inputs: number): void {
  const size = sizeOf(shape);
  if (size === inputs) return;
  const said = `model.cnn.shape [${shape.join(", ")}] has ${size} values`;
  throw new HeadwaterError("task-invalid", `${said}, the row ${inputs} columns`);
}

interface Windows {
  readonly length: number;
  readonly what: string;
  readonly count: number;
  readonly kernel: number;
  readonly pool: number;
}

// Every block shortens what it reads; the last must still see something.
function checkWindows(kind: string, { length, what, count, kernel, pool }: Windows): void {
  let left = length;
  for (let block = 1; block <= count; block++) {
    const convolved = left - kernel + 1;
    const pooled = block < count ? Math.floor((convolved - pool) / pool) + 1 : convolved;
    if (pooled < 1)
      throw new HeadwaterError(
        "task-invalid",
        `model.${kind}: convolution ${block} (kernel ${kernel}, pool ${pool}) sees ${left} of the ${length} ${what}: too few`,
      );
    left = pooled;
  }
}

interface BlockOptions {
  readonly filters: readonly number[];
  readonly kernel: number;
  readonly pool: number;
}

// Convolutions with relu, pooled but for the last.
function blocks(axes: 1 | 2, { filters, kernel, pool }: BlockOptions): LayerJson[] {
  const both = (value: number) => Array.from({ length: axes }, () => value);
  return filters.flatMap((count, at) => {
    const convolution = layer(`Conv${axes}D`, `conv_${at + 1}`, {
      ...{ filters: count, kernel_size: both(kernel), strides: both(1), padding: "valid" },
      ...{ dilation_rate: both(1), activation: "relu", ...common },
    });
    const pooling = layer(`MaxPooling${axes}D`, `pool_${at + 1}`, {
      ...{ pool_size: both(pool), strides: both(pool), padding: "valid" },
    });
    return at + 1 < filters.length && pool > 1 ? [convolution, pooling] : [convolution];
  });
}

function recurrentLayers(kind: "gru" | "lstm", units: readonly number[]): LayerJson[] {
  const className = kind === "gru" ? "GRU" : "LSTM";
  return units.map((width, at) =>
    layer(className, `${kind}_${at + 1}`, {
      ...{ units: width, activation: "tanh", recurrent_activation: "sigmoid", ...common },
      recurrent_initializer: { class_name: "Orthogonal", config: { gain: 1, seed: null } },
      ...(kind === "gru" ? { reset_after: false } : { unit_forget_bias: true }),
      return_sequences: at + 1 < units.length,
    }),
  );
}

const common: JsonObject = {
  use_bias: true,
  kernel_initializer: GLOROT_UNIFORM,
  bias_initializer: { class_name: "Zeros", config: {} },
};

function reshape(shape: readonly number[]): LayerJson {
  return layer("Reshape", "reshape", { target_shape: [...shape] });
}

function layer(className: string, name: string, config: JsonObject = {}): LayerJson {
  return { class_name: className, config: { ...config, name, trainable: true } };
}
