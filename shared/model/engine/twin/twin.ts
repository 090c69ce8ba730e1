// The kernels in plain JavaScript, where WebAssembly is not there, and the reference for those that are compiled: the same
// numbers to the last bit.

import { HeadwaterError, messageOf } from "../../../error.js";
import { activationTwin } from "./activation.js";
import { productTwin } from "./gemm.js";
import { lossTwin } from "./loss.js";
import { normalizationTwin } from "./normalization.js";
import { optimizerTwin } from "./optimizer.js";
import { poolTwin } from "./pool.js";
import { recurrentTwin } from "./recurrent.js";
import { vectorTwin } from "./vector.js";

/** Every kernel over `f`. What each does and takes is said where it is written: `assembly/`. */
export function twinKernels(f: Float32Array) {
  const vector = vectorTwin(f);
  return {
    ...vector,
    ...activationTwin(f),
    ...lossTwin(f),
    ...normalizationTwin(f, vector.columnSums),
    ...optimizerTwin(f),
    ...poolTwin(f),
    ...productTwin(f),
    ...recurrentTwin(f),
  };
}

/** Kernels over a new memory. Throws HeadwaterError `out-of-memory`. */
export function createTwinMemory(bytes: number) {
  try {
    const buffer = new ArrayBuffer(Math.ceil(bytes / 4) * 4);
    return { kernels: twinKernels(new Float32Array(buffer)), buffer };
  } catch (cause) {
    const message = `cannot have ${bytes} bytes for a model and its batch: ${messageOf(cause)}`;
    throw new HeadwaterError("out-of-memory", message, { cause });
  }
}
