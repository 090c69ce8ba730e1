// Kolmogorov and Smirnov: the greatest distance between two samples' distribution functions, and how often chance does as much.

// Beyond this the series is below the smallest normal number, or the terms do not fall off any more.
const LARGEST = 19;
const SMALLEST = 0.04;

/** D: the greatest distance between the empirical distribution functions of two sorted samples, neither of them empty. */
export function ksDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let i = 0;
  let j = 0;
  let distance = 0;
  while (i < a.length && j < b.length) {
    const x = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === x) i += 1;
    while (j < b.length && b[j] === x) j += 1;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  return distance;
}

/**
 * The chance of a distance at least as great when both samples come from one continuous law. For N = nm / (n + m), rounded,
 * twice the one-sided chance of N values (Birnbaum and Tingey 1951), as SciPy's; by Kolmogorov's limit where N D^2 < 1 and
 * both sides come in. Sizes may be effective ones, not whole. Ties make it smaller than it says.
 */
export function ksAsymptoticP(distance: number, n: number, m: number): number {
  const size = Math.max(1, Math.round((n * m) / (n + m)));
  const z = Math.sqrt(size) * distance;
  return z < 1 ? kolmogorovQ(z) : Math.min(1, 2 * oneSided(distance, size));
}

// d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j): positive terms only.
function oneSided(distance: number, n: number): number {
  if (distance >= 1) return 0;
  let sum = (1 - distance) ** n / distance;
  for (let j = 1, choose = 0; j <= n * (1 - distance); j++) {
    choose += Math.log((n - j + 1) / j);
    const rest = 1 - distance - j / n;
    if (rest <= 0) break;
    sum += Math.exp(choose + (j - 1) * Math.log(distance + j / n) + (n - j) * Math.log(rest));
  }
  return distance * sum;
}

/**
 * The same chance to the last digit: of all ways to mix n and m values, the share whose distance is as great, walked cell by
 * cell (Hodges 1958, sec. 3), adding positive terms only. Takes n m steps.
 */
export function ksExactP(distance: number, n: number, m: number): number {
  // Distances are multiples of 1 / (n m): half of one below is safe from rounding.
  const reached = distance - 0.5 / (n * m);
  // Of the ways through cell (i, j), the share that has been as far before.
  const share = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i / n - j / m) >= reached) share[j] = 1;
      else if (i + j > 0) {
        const fromLeft = j > 0 ? share[j - 1]! * j : 0;
        share[j] = (fromLeft + share[j]! * i) / (i + j);
      }
    }
  }
  return share[m]!;
}

/** Kolmogorov's Q(z) = 2 sum (-1)^(k-1) exp(-2 k^2 z^2). Below 1, by the series of his theta function, which is exact there. */
export function kolmogorovQ(z: number): number {
  if (z < SMALLEST) return 1;
  if (z > LARGEST) return 0;
  if (z < 1) {
    const step = -(Math.PI * Math.PI) / (8 * z * z);
    let sum = 0;
    for (let k = 1; k < 20; k += 2) sum += Math.exp(step * k * k);
    return 1 - (Math.sqrt(2 * Math.PI) / z) * sum;
  }
  let sum = 0;
  for (let k = 1; k < 10; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * z * z);
  return sum;
}
