// Maximum mean discrepancy: two samples of rows, all their columns at once.

/**
 * Unbiased MMD squared with kernel exp(-gamma |x - y|^2): 0 on average when both samples follow one law, and then also
 * negative. Gretton et al. 2012, eq. 3. Takes (n + m)^2 / 2 kernels; two rows a sample at least.
 */
export function meanDiscrepancy(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
  gamma: number,
): number {
  let across = 0;
  for (const x of a) for (const y of b) across += kernel(x, y, gamma);
  return within(a, gamma) + within(b, gamma) - (2 * across) / (a.length * b.length);
}

// Mean kernel of different rows.
function within(rows: readonly ArrayLike<number>[], gamma: number): number {
  let sum = 0;
  rows.forEach((x, i) => {
    for (let j = 0; j < i; j++) sum += 2 * kernel(x, rows[j]!, gamma);
  });
  return sum / (rows.length * (rows.length - 1));
}

function kernel(x: ArrayLike<number>, y: ArrayLike<number>, gamma: number): number {
  let square = 0;
  for (let i = 0; i < x.length; i++) square += (x[i]! - y[i]!) ** 2;
  return Math.exp(-gamma * square);
}
