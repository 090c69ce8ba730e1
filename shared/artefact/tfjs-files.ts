// model.json and weights.bin, as `tf.loadLayersModel` reads them. The model takes scaled columns and gives scaled labels.

import type { ModelDefinition } from "../model/definition.js";
import type { ParamSpec } from "../params/spec.js";
import { float32 } from "../wire/codec/float32.js";

/** Names of the two files; the first names the second. */
export const MODEL_FILE = "model.json";
export const WEIGHTS_FILE = "weights.bin";

/** The file of the topology. */
export function modelJson(
  { topology }: ModelDefinition,
  { entries }: ParamSpec,
  generatedBy: string,
): string {
  const weights = entries.map(({ name, shape }) => ({ name, shape: [...shape], dtype: "float32" }));
  return JSON.stringify({
    format: "layers-model",
    generatedBy,
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights }],
  });
}

/** The params one after the other, little-endian. */
export function weightsOf(params: Float32Array): Uint8Array {
  return float32.encode(params);
}

/** What `weightsOf` was given, undefined when the bytes are not `count` params. */
export function paramsOf(bytes: Uint8Array, count: number): Float32Array | undefined {
  return float32.decode(bytes, count);
}
