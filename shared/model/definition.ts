// A model as data: everything an engine needs to build it and a peer needs to check it.

import type { JsonObject, OutputSpec } from "../task/task.js";

/** A tfjs LayersModel by its topology, with what its output means. */
export interface ModelDefinition {
  /** The object under `modelTopology` of a tfjs model.json. Initializers carry no seeds. */
  readonly topology: JsonObject;
  /** Columns of one input row, and of one output row. */
  readonly inputs: number;
  readonly outputs: number;
  readonly output: OutputSpec;
  /** SHA-256 (hex) of the canonical topology and output. */
  readonly topologyHash: string;
}
