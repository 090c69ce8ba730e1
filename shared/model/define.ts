// From a task's `model` to a model definition: pure, without an engine.

import { unreachable } from "../assert.js";
import { canonicalJson, sha256Hex } from "../task/canonical.js";
import { isJsonObject } from "../task/json.js";
import type { JsonObject, ModelSpec } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";
import { denseLayer, withInput } from "./layer-json.js";
import { outputActivation, outputWidth } from "./output.js";
import { stackedTopology } from "./stacked.js";

/**
 * The definition of `spec` over rows of `inputs` columns. A given topology is taken as it is; whether its
 * widths fit and its layers can be trained shows when an engine builds it.
 */
export function defineModel(spec: ModelSpec, inputs: number): ModelDefinition {
  const topology = topologyOf(spec, inputs);
  const { output } = spec;
  const topologyHash = sha256Hex(canonicalJson({ topology, output }));
  return { topology, inputs, outputs: outputWidth(output, inputs), output, topologyHash };
}

/** What a model's params mean: models of another signature never mix. */
export function modelSignature(hashes: {
  readonly pipelineHash: string;
  readonly scalerHash: string;
  readonly topologyHash: string;
}): string {
  const { pipelineHash, scalerHash, topologyHash } = hashes;
  return sha256Hex(canonicalJson({ pipelineHash, scalerHash, topologyHash }));
}

function topologyOf(spec: ModelSpec, inputs: number): JsonObject {
  switch (spec.kind) {
    case "dense":
      return denseTopology(spec, inputs);
    case "autoencoder":
      return denseTopology({ ...spec, hidden: mirrored(spec.encoder) }, inputs);
    case "stacked":
      return stackedTopology(spec, inputs);
    case "layers":
      return withoutVersions(spec.topology);
    default:
      return unreachable(spec);
  }
}

// 86, 38 becomes 86, 38, 86: the last decoder layer gives the row.
function mirrored(encoder: readonly number[]): readonly number[] {
  return [...encoder, ...encoder.slice(0, -1).reverse()];
}

type DenseSpec = Omit<Extract<ModelSpec, { kind: "dense" }>, "kind">;

// Exactly what tfjs's own `toJSON` writes for this network, so that any tfjs program can load it.
function denseTopology(spec: DenseSpec, inputs: number): JsonObject {
  const layers = [
    ...spec.hidden.map((units, at) => denseLayer(`hidden_${at + 1}`, units, spec.activation)),
    denseLayer("output", outputWidth(spec.output, inputs), outputActivation(spec.output)),
  ];
  return { class_name: "Sequential", config: { name: "dense", layers: withInput(layers, inputs) } };
}

// A full model.json wraps the topology in `model_config`; the versions of the program that wrote it must
// not change the hash.
function withoutVersions(given: JsonObject): JsonObject {
  const inner = given.model_config;
  const topology = isJsonObject(inner) ? inner : given;
  const { keras_version: _keras, backend: _backend, ...rest } = topology;
  return rest;
}
