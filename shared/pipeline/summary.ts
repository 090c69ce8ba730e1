// Everything about numbers seen in order of time that fits into a few numbers and can be put together from parts.

import { Moments } from "./moments.js";
import type { Mergeable } from "./sliding.js";

/** Numbers of a saved summary. */
const NUMBERS = 14;

/** Standard deviations below this share of the mean are rounding errors. */
const EPSILON = 2 ** -52;

/**
 * Moments up to the fourth (Pébay 2008), sum, first and last value, and the trend over time. Merging two summaries gives
 * that of all their values, within rounding; the sum of whole numbers is exact. Float64 throughout. Shape (skew, kurtosis)
 * and trend (slope) only where they are asked for: merging costs thrice as much with them.
 */
export class Summary implements Mergeable<Summary> {
  readonly moments = new Moments();
  readonly #isDeep: boolean;
  sum = 0;
  first = 0;
  last = 0;
  // Sums of third and fourth powers of deviations from the mean.
  #m3 = 0;
  #m4 = 0;
  // Times in seconds since the first value: their mean, squared deviations, and their products with the values'.
  #baseMs = 0;
  #meanTime = 0;
  #timeM2 = 0;
  #timeProducts = 0;

  constructor({ isDeep }: { readonly isDeep: boolean } = { isDeep: true }) {
    this.#isDeep = isDeep;
  }

  add(x: number, timeMs: number): void {
    const { moments } = this;
    if (moments.count === 0) {
      this.#baseMs = timeMs;
      this.first = x;
    }
    this.last = x;
    this.sum += x;
    if (this.#isDeep) this.#addShape(x);
    moments.add(x);
    if (this.#isDeep) this.#addTrend(x, (timeMs - this.#baseMs) / 1_000);
  }

  merge(other: Summary): void {
    if (other.moments.count === 0) return;
    if (this.moments.count === 0) {
      this.copyFrom(other);
      return;
    }
    if (this.#isDeep) {
      this.#mergeShape(other);
      this.#mergeTrend(other);
    }
    this.moments.merge(other.moments);
    this.sum += other.sum;
    this.last = other.last;
  }

  copyFrom(other: Summary): void {
    this.moments.copyFrom(other.moments);
    this.sum = other.sum;
    this.first = other.first;
    this.last = other.last;
    if (!this.#isDeep) return;
    this.#m3 = other.#m3;
    this.#m4 = other.#m4;
    this.#baseMs = other.#baseMs;
    this.#meanTime = other.#meanTime;
    this.#timeM2 = other.#timeM2;
    this.#timeProducts = other.#timeProducts;
  }

  reset(): void {
    this.restore(EMPTY);
  }

  save(): readonly number[] {
    const trend = [this.#baseMs, this.#meanTime, this.#timeM2, this.#timeProducts];
    return [...this.moments.save(), this.sum, this.first, this.last, this.#m3, this.#m4, ...trend];
  }

  restore(saved: ArrayLike<number>, at = 0): void {
    this.moments.restore(saved, at);
    this.sum = saved[at + 5]!;
    this.first = saved[at + 6]!;
    this.last = saved[at + 7]!;
    this.#m3 = saved[at + 8]!;
    this.#m4 = saved[at + 9]!;
    this.#baseMs = saved[at + 10]!;
    this.#meanTime = saved[at + 11]!;
    this.#timeM2 = saved[at + 12]!;
    this.#timeProducts = saved[at + 13]!;
  }

  get range(): number {
    return this.moments.max - this.moments.min;
  }

  get rms(): number {
    const { count, mean, m2 } = this.moments;
    return count === 0 ? 0 : Math.sqrt(mean * mean + m2 / count);
  }

  /** Population skewness; undefined where all values are the same. */
  get skew(): number | undefined {
    const { count, m2 } = this.moments;
    return this.#hasSpread() ? (Math.sqrt(count) * this.#m3) / m2 ** 1.5 : undefined;
  }

  /** Population excess kurtosis (0 for a normal distribution); undefined where all values are the same. */
  get kurtosis(): number | undefined {
    const { count, m2 } = this.moments;
    return this.#hasSpread() ? (count * this.#m4) / (m2 * m2) - 3 : undefined;
  }

  /** Of the least-squares line over time, per second; undefined for values of one time only. */
  get slope(): number | undefined {
    return this.#timeM2 > 0 ? this.#timeProducts / this.#timeM2 : undefined;
  }

  #hasSpread(): boolean {
    const { mean, std } = this.moments;
    return std > EPSILON * Math.abs(mean) && this.moments.m2 ** 2 > 0;
  }

  // Before the moments have taken `x`.
  #addShape(x: number): void {
    const { count, mean, m2 } = this.moments;
    const n = count + 1;
    const delta = x - mean;
    const step = delta / n;
    const term = delta * step * count;
    this.#m4 += term * step * step * (n * n - 3 * n + 3) + 6 * step * step * m2 - 4 * step * this.#m3;
    this.#m3 += term * step * (n - 2) - 3 * step * m2;
  }

  // After the moments have taken `x`, at `time` in seconds.
  #addTrend(x: number, time: number): void {
    const delta = time - this.#meanTime;
    this.#meanTime += delta / this.moments.count;
    this.#timeM2 += delta * (time - this.#meanTime);
    this.#timeProducts += delta * (x - this.moments.mean);
  }

  // Before the moments have been merged.
  #mergeShape(other: Summary): void {
    const [a, b] = [this.moments.count, other.moments.count];
    const [aM2, bM2] = [this.moments.m2, other.moments.m2];
    const n = a + b;
    const delta = other.moments.mean - this.moments.mean;
    const step = delta / n;
    this.#m4 +=
      other.#m4 +
      delta * step * step * step * a * b * (a * a - a * b + b * b) +
      6 * step * step * (a * a * bM2 + b * b * aM2) +
      4 * step * (a * other.#m3 - b * this.#m3);
    this.#m3 += other.#m3 + delta * step * step * a * b * (a - b) + 3 * step * (a * bM2 - b * aM2);
  }

  // Before the moments have been merged.
  #mergeTrend(other: Summary): void {
    const [a, b] = [this.moments.count, other.moments.count];
    const share = b / (a + b);
    const delta = other.#meanTime + (other.#baseMs - this.#baseMs) / 1_000 - this.#meanTime;
    this.#timeM2 += other.#timeM2 + delta * delta * a * share;
    this.#timeProducts += other.#timeProducts + delta * (other.moments.mean - this.moments.mean) * a * share;
    this.#meanTime += delta * share;
  }
}

const EMPTY = new Float64Array(NUMBERS);
EMPTY.set([0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
