// What must be known about a topology before an engine builds it: which layers cannot be trained, and its seeds.

import { randomStream } from "../random.js";
import { isJsonObject } from "../task/json.js";
import type { JsonObject, JsonValue } from "../task/task.js";

/** One line per layer that tfjs cannot train reproducibly on any backend, naming the layer and why. */
export function findUnsupported(topology: JsonObject): string[] {
  return nodesOf(topology).flatMap(({ className, config }) => {
    const reason = reasonAgainst(className, config);
    const name = config.name;
    return reason === undefined
      ? []
      : [`layer ${JSON.stringify(name ?? className)} (${className}) ${reason}`];
  });
}

/** The topology with a seed in every random initializer, each from its own stream of `seed`. */
export function seedTopology(topology: JsonObject, seed: string): JsonObject {
  const seeded = seedValue(topology, seed, []);
  return isJsonObject(seeded) ? seeded : topology;
}

const INITIALIZERS: ReadonlySet<string> = new Set([
  "RandomUniform",
  "RandomNormal",
  "TruncatedNormal",
  "VarianceScaling",
  "Orthogonal",
  "GlorotUniform",
  "GlorotNormal",
  "HeNormal",
  "HeUniform",
  "LeCunNormal",
  "LeCunUniform",
]);

const RANDOM: ReadonlySet<string> = new Set([
  "Dropout",
  "SpatialDropout1D",
  "AlphaDropout",
  "GaussianDropout",
  "GaussianNoise",
  "RandomWidth",
]);

function reasonAgainst(className: string, config: JsonObject): string | undefined {
  if (RANDOM.has(className))
    return "draws random numbers in every step, which tfjs cannot reproduce from a seed; leave it out";
  if (isPositive(config.dropout) || isPositive(config.recurrent_dropout))
    return "has a dropout, whose masks tfjs cannot reproduce from a seed; set it to 0";
  if (config.stateful === true)
    return "is stateful: batches would depend on their order; set stateful to false";
  if (className === "ThresholdedReLU") return "has no gradient in tfjs";
  if (RECURRENT.has(className) && hasRegularizer(config))
    return "has a regularizer, which tfjs leaves out of a recurrent layer's loss; set it to null";
  if (className === "TimeDistributed" && isJsonObject(config.layer) && hasRegularizer(config.layer.config))
    return "has a regularizer inside, which tfjs leaves out of the loss; set it to null";
  if (config.reset_after === true) return "uses reset_after, which tfjs does not support; set it to false";
  if (config.padding === "causal") return "uses causal padding, which tfjs cannot train";
  if (isDilated(config.dilation_rate)) return "is dilated, which tfjs cannot train";
  return undefined;
}

const RECURRENT: ReadonlySet<string> = new Set([
  "SimpleRNN",
  "GRU",
  "LSTM",
  "SimpleRNNCell",
  "GRUCell",
  "LSTMCell",
]);

function hasRegularizer(config: JsonValue | undefined): boolean {
  if (!isJsonObject(config)) return false;
  const { kernel_regularizer, recurrent_regularizer, bias_regularizer } = config;
  return [kernel_regularizer, recurrent_regularizer, bias_regularizer].some(
    (value) => (value ?? null) !== null,
  );
}

function isPositive(value: JsonValue | undefined): boolean {
  return typeof value === "number" && value > 0;
}

function isDilated(rate: JsonValue | undefined): boolean {
  return Array.isArray(rate) ? rate.some(isDilated) : typeof rate === "number" && rate > 1;
}

interface TopologyNode {
  readonly className: string;
  readonly config: JsonObject;
}

// Layers hide in layers (wrappers, nested models, cells), so every {class_name, config} counts.
function nodesOf(value: JsonValue | undefined): TopologyNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (!isJsonObject(value)) return [];
  const className = value.class_name;
  const config = value.config;
  const inner = Object.values(value).flatMap(nodesOf);
  return typeof className === "string" && isJsonObject(config) ? [{ className, config }, ...inner] : inner;
}

function seedValue(value: JsonValue, seed: string, path: readonly (string | number)[]): JsonValue {
  if (Array.isArray(value)) return value.map((item, at) => seedValue(item, seed, [...path, at]));
  if (!isJsonObject(value)) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, seedValue(item, seed, [...path, key])]),
  );
  const className = copy.class_name;
  if (typeof className !== "string" || !INITIALIZERS.has(className)) return copy;
  const config = isJsonObject(copy.config) ? copy.config : {};
  return { ...copy, config: { ...config, seed: initializerSeed(seed, path) } };
}

// Never 0: tfjs takes a seed of 0 for none.
function initializerSeed(seed: string, path: readonly (string | number)[]): number {
  return 1 + randomStream(seed, "params", ...path).integer(2 ** 31 - 1);
}
