// How many rows of telemetry are worth one independent row.

/** Blocks of the batch means: as many as leave their variance known to a quarter. */
const BLOCKS = 32;
/** Sums of autocorrelations go on until so many times what they came to (Sokal 1997, sec. 3). */
const WINDOW = 5;

/**
 * Rows per independent row, at least 1: the integrated autocorrelation time, 1 + 2 sum of rho_k. It is (1 + rho) / (1 - rho) for a
 * first-order process. Taken as the larger of two estimates: by summed autocorrelations (Sokal 1997), and by
 * the spread of means of 32 blocks (Conway 1963), which also sees rows of several entities taken in turn. Missing values (NaN)
 * are left out. `undefined`: the values are all alike.
 */
export function rowsPerPoint(series: Float64Array): number | undefined {
  const x = centred(series);
  let square = 0;
  for (const value of x) square += value * value;
  if (x.length === 0 || square <= 1e-18) return undefined;
  return Math.max(1, summed(x, square), byBlocks(x, square));
}

function centred(series: Float64Array): Float64Array {
  const present = series.filter((x) => !Number.isNaN(x));
  const mean = present.reduce((sum, x) => sum + x, 0) / present.length;
  return present.map((x) => x - mean);
}

function summed(x: Float64Array, square: number): number {
  let time = 1;
  for (let lag = 1; lag < x.length / 4 && lag < WINDOW * time; lag++) {
    let product = 0;
    for (let i = lag; i < x.length; i++) product += x[i]! * x[i - lag]!;
    time += (2 * product) / square;
  }
  return time;
}

function byBlocks(x: Float64Array, square: number): number {
  const size = Math.floor(x.length / BLOCKS);
  if (size < 2) return 1;
  let between = 0;
  for (let block = 0; block < BLOCKS; block++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += x[block * size + i]!;
    between += sum * sum;
  }
  // Variance of block sums over the size, against the variance of values.
  return ((between / (BLOCKS - 1) / size) * x.length) / square;
}
