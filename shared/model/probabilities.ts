// Outputs that must be probabilities: checked once, when a model is built.

import { HeadwaterError } from "../error.js";
import type { Model } from "./runtime.js";

/** Throws HeadwaterError `model-unsupported` where the task's output means probabilities and the model gives none. */
export function checkProbabilities(model: Model): void {
  const { kind } = model.definition.output;
  if (kind === "classification") checkSum(predictZeros(model));
  if (kind === "binary") checkSigmoid(model);
}

function checkSum(outputs: Float32Array): void {
  const sum = outputs.reduce((total, value) => total + value, 0);
  // 10,000 classes, each rounded to float32, stay within this.
  if (Math.abs(sum - 1) <= 1e-3) return;
  throw new HeadwaterError(
    "model-unsupported",
    `outputs sum to ${sum}, expected 1: a classifier's last activation is softmax`,
  );
}

// A number may lie between 0 and 1 by chance. But of zeros a sigmoid, hard or soft, makes 0.5, and nothing else does.
function checkSigmoid(model: Model): void {
  const params = model.params();
  model.load(new Float32Array(params.length));
  const [output = Number.NaN] = predictZeros(model);
  model.load(params);
  if (Math.abs(output - 0.5) <= 1e-6) return;
  throw new HeadwaterError(
    "model-unsupported",
    `with params of 0 the output is ${output}, expected 0.5: a binary model's last activation is sigmoid`,
  );
}

function predictZeros(model: Model): Float32Array {
  return model.predict(new Float32Array(model.definition.inputs), 1);
}
