// What errors of a version are like while all is well, taken from its first ones: their size, and how closely they follow
// one another.

import { rowsPerPoint } from "../../shared/drift/data/autocorrelation.js";

/** Errors that are averaged into one number, at most. */
const BLOCK_MAX = 64;
/** Autocorrelation times in a block: means of such blocks hardly resemble the one before. */
const TIMES = 2;
/** Errors as independent as this need no blocks. */
const INDEPENDENT = 1.5;

/** The usual error, and how many errors make one number that is worth about an independent one. */
export interface UsualError {
  readonly mean: number;
  /** Of a block's mean. */
  readonly deviation: number;
  readonly block: number;
  /** Independent errors that a block is worth, at least 1. */
  readonly worth: number;
}

/** Taken from errors in the order they came. */
export function usualErrorOf(errors: Float64Array): UsualError {
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const variance = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / errors.length;
  const time = rowsPerPoint(errors) ?? 1;
  const block = time < INDEPENDENT ? 1 : Math.min(BLOCK_MAX, Math.ceil(TIMES * time));
  const deviation = Math.sqrt(variance * Math.min(1, time / block));
  return { mean, deviation: deviation > 0 ? deviation : 1, block, worth: Math.max(1, block / time) };
}
