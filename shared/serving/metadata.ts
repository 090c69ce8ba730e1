// What is served, described in the words of the protocol.

import { INPUT_NAME } from "./infer.js";
import type { ModelMetadata } from "./schema.js";
import { outputTensors } from "./scores.js";
import type { ServedModel } from "./served-model.js";

/** Of the protocol's form <project>_<format>. */
const PLATFORM = "headwater_v1";

/** GET /v2. */
export function describeServing(version: string) {
  return { name: "headwater", version, extensions: ["binary_tensor_data"] };
}

/** GET /v2/models/NAME, of one version or of all. */
export function describeModel(served: ServedModel, version: number | undefined): ModelMetadata {
  const { name, columns, model, threshold } = served;
  const serving = served.serving();
  return {
    name,
    versions: (version === undefined ? served.versions() : [version]).map(String),
    platform: PLATFORM,
    inputs: [{ name: INPUT_NAME, datatype: "FP32", shape: [-1, columns.length] }],
    outputs: outputTensors(model.definition, threshold !== undefined).map(({ name, datatype, width }) => ({
      name,
      datatype,
      shape: width === undefined ? [-1] : [-1, width],
    })),
    properties: {
      columns: JSON.stringify(columns),
      ...(serving === undefined ? {} : { version: String(serving) }),
    },
  };
}
