// What a spectrum looks like, in one number each.

import { unreachable } from "../../assert.js";

/** What a spectrum can be asked for. */
export const spectralNames = ["centroid", "peak_hz", "entropy", "total", "rolloff", "flatness"] as const;

export type SpectralName = (typeof spectralNames)[number];

// librosa's and most others' choice.
const ROLLOFF_SHARE = 0.85;
// Below this share of the mean a bin is rounding noise: one empty bin must not make a spectrum look like a pure tone.
const FLATNESS_FLOOR = 1e-12;

/**
 * One property of power per bin, bin k being `k * hzPerBin`. `centroid` (Hz), `peak_hz`, `rolloff` (Hz below which 85 %
 * of the power lies), `total` (the samples' unit squared); from 0 for a pure tone to 1 for white noise: `entropy`
 * (Shannon's, divided by that of equal bins) and `flatness` (geometric by arithmetic mean, bin 0 left out). 0, all of
 * them, where there is no power.
 */
export function spectralProperty(name: SpectralName, power: Float64Array, hzPerBin: number): number {
  switch (name) {
    case "centroid":
      return centroid(power) * hzPerBin;
    case "peak_hz":
      return peak(power) * hzPerBin;
    case "entropy":
      return entropy(power);
    case "total":
      return total(power);
    case "rolloff":
      return rolloff(power) * hzPerBin;
    case "flatness":
      return flatness(power);
    default:
      return unreachable(name);
  }
}

/** The sum of power of the bins from `first` up to, not including, `end`. */
export function powerBetween(power: Float64Array, first: number, end: number): number {
  let sum = 0;
  for (let k = first; k < end; k++) sum += power[k]!;
  return sum;
}

function total(power: Float64Array): number {
  return powerBetween(power, 0, power.length);
}

function centroid(power: Float64Array): number {
  let sum = 0;
  let moment = 0;
  for (let k = 0; k < power.length; k++) {
    sum += power[k]!;
    moment += k * power[k]!;
  }
  return sum === 0 ? 0 : moment / sum;
}

function peak(power: Float64Array): number {
  let best = 0;
  for (let k = 1; k < power.length; k++) if (power[k]! > power[best]!) best = k;
  return best;
}

// -sum p ln p with p = P / sum of P, in one pass: ln(sum) - (sum of P ln P) / sum.
function entropy(power: Float64Array): number {
  let sum = 0;
  let weighted = 0;
  for (let k = 0; k < power.length; k++) {
    const p = power[k]!;
    if (p === 0) continue;
    sum += p;
    weighted += p * Math.log(p);
  }
  if (sum === 0) return 0;
  const share = (Math.log(sum) - weighted / sum) / Math.log(power.length);
  // Rounding may leave the range by some 1e-16.
  return Math.min(1, Math.max(0, share));
}

function rolloff(power: Float64Array): number {
  const enough = ROLLOFF_SHARE * total(power);
  let sum = 0;
  for (let k = 0; k < power.length; k++) {
    sum += power[k]!;
    if (sum >= enough) return k;
  }
  return power.length - 1;
}

function flatness(power: Float64Array): number {
  const bins = power.length - 1;
  const mean = powerBetween(power, 1, power.length) / bins;
  if (mean === 0) return 0;
  let logs = 0;
  for (let k = 1; k < power.length; k++) logs += Math.log(Math.max(power[k]! / mean, FLATNESS_FLOOR));
  return Math.exp(logs / bins);
}
