// One signal whose statistics and spectrum are known, worked out with NumPy 2.4 and SciPy 1.17 in float64.

/** Samples a second of `fixture`. */
export const FIXTURE_RATE_HZ = 100;

/** sin(2 pi 5 t) + 0.5 sin(2 pi 20 t) + 0.01 (i mod 7), 256 samples at 100 Hz. */
export const fixture: Float64Array = Float64Array.from({ length: 256 }, (_, i) => {
  const t = i / FIXTURE_RATE_HZ;
  return Math.sin(2 * Math.PI * 5 * t) + 0.5 * Math.sin(2 * Math.PI * 20 * t) + 0.01 * (i % 7);
});

/** Its statistics: std, skew and kurtosis (excess) of the population, zcr about the mean, quantiles of type 7. */
export const fixtureStatistics = {
  mean: 0.04014404592709943,
  std: 0.7924196217236193,
  rms: 0.7934358205400114,
  peak: 1.486584774442731,
  crest: 1.8736043117273975,
  skew: -0.02515254960005962,
  kurtosis: -1.0140319022806121,
  zcr: 52,
} as const;

/** 1.4826 x the median absolute deviation, and the quartiles. */
export const fixtureOrder = {
  scaledMad: 0.9634450898628908,
  q25: -0.5151243682287103,
  q75: 0.7845452525225238,
} as const;

/**
 * Of the one-sided periodogram of x - mean with a periodic Hann taper, density scaling: band [lo, hi) power is
 * sum(P) x rate / 256.
 */
export const fixtureSpectrum = {
  band0To10: 0.5001028883977554,
  band10To30: 0.1253474025217248,
  band30To50: 5.260511723090031e-5,
  peakHz: 5.078125,
  centroidHz: 8.006995734918352,
  total: 0.6255028960367109,
  entropy: 0.2828241159459874,
  rolloffHz: 19.921875,
  flatness: 7.706592510613392e-7,
} as const;
