// headwater/model: an exported model in a program of its own, without network, broker or database.

export type { Reading, Value } from "../shared/pipeline/types.js";
export {
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type ModelPrediction,
  type Prediction,
} from "./load-model.js";
