// How far rows are from what an autoencoder has learned.

/** Root mean square over a row's scaled columns. */
export function reconstructionError(output: Float32Array, row: Float32Array): number {
  const squares = output.reduce((sum, value, at) => sum + (value - row[at]!) ** 2, 0);
  return Math.sqrt(squares / output.length);
}
