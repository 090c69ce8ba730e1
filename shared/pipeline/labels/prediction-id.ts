// What a prediction is called: on every machine, and in every replay, the same.

import { sha256Hex } from "../../task/canonical.js";

/** 96 bits: among 10^9 predictions two share an id with a chance of 10^18 / 2^97, less than 10^-11. */
const ID_DIGITS = 24;

/**
 * The id of the prediction for an entity's row at an event time: the first 24 hex digits of SHA-256 over
 * `pipelineHash LF timeMs LF entity` (UTF-8). Another model version predicts the same row under the same id.
 */
export function predictionId(pipelineHash: string, entity: string, timeMs: number): string {
  return sha256Hex(`${pipelineHash}\n${timeMs}\n${entity}`).slice(0, ID_DIGITS);
}
