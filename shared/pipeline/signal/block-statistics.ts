// A block of samples in single numbers.

import { unreachable } from "../../assert.js";
import { OrderStatistics } from "../quantile.js";
import { Memo } from "./memo.js";
import type { Samples } from "./samples.js";

/** What a block can be asked for besides quantiles. */
export const blockStatisticNames = [
  "mean",
  "std",
  "rms",
  "min",
  "max",
  "peak",
  "p2p",
  "crest",
  "skew",
  "kurtosis",
  "zcr",
  "energy",
  "median",
  "mad",
  "iqr",
] as const;

/** A name, or a quantile between 0 and 1. */
export type BlockStatistic = (typeof blockStatisticNames)[number] | number;

const MAX_SHARED = 64;

const shared = new Memo<BlockStatistics>(MAX_SHARED);

/** The statistics of blocks of one length that all have in common: load, then read at once. */
export function sharedStatistics(length: number): BlockStatistics {
  return shared.get(`${length}`, () => new BlockStatistics(length));
}

/**
 * Statistics of one block at a time, each worked out when it is first asked for.
 *
 * `std`, `skew` and `kurtosis` (excess, Fisher) are the population's, as in SciPy. `peak` is the largest magnitude, `p2p`
 * max - min, `crest` peak / rms, `energy` the mean square, `zcr` the number of times that x - mean changes its sign, `mad`
 * unscaled. A block that does not vary has skew and kurtosis 0; one of zeros has crest 0.
 */
export class BlockStatistics {
  readonly #sorted: Float64Array;
  readonly #order: OrderStatistics;
  #block: Samples | undefined;
  #isSorted = false;
  #hasShape = false;
  #mean = 0;
  #square = 0;
  #min = 0;
  #max = 0;
  #variance = 0;
  #skew = 0;
  #kurtosis = 0;
  #crossings = 0;

  constructor(length: number) {
    this.#sorted = new Float64Array(length);
    this.#order = new OrderStatistics(this.#sorted);
  }

  /** Takes the next block, which stays as it is while it is asked for. */
  load(block: Samples): void {
    this.#block = block;
    this.#isSorted = false;
    this.#hasShape = false;
    this.#scan(block);
  }

  get(statistic: BlockStatistic): number {
    if (typeof statistic === "number") return this.#inOrder().quantile(statistic);
    switch (statistic) {
      case "mean":
        return this.#mean;
      case "std":
        return Math.sqrt(this.#shape().#variance);
      case "rms":
        return Math.sqrt(this.#square);
      case "min":
        return this.#min;
      case "max":
        return this.#max;
      case "peak":
        return this.#peak;
      case "p2p":
        return this.#max - this.#min;
      case "crest":
        return this.#square === 0 ? 0 : this.#peak / Math.sqrt(this.#square);
      case "skew":
        return this.#shape().#skew;
      case "kurtosis":
        return this.#shape().#kurtosis;
      case "zcr":
        return this.#shape().#crossings;
      case "energy":
        return this.#square;
      case "median":
        return this.#inOrder().quantile(0.5);
      case "mad":
        return this.#inOrder().mad;
      case "iqr":
        return this.#inOrder().iqr;
      default:
        return unreachable(statistic);
    }
  }

  get #peak(): number {
    return Math.max(Math.abs(this.#min), Math.abs(this.#max));
  }

  #scan(block: Samples): void {
    let sum = 0;
    let squares = 0;
    let min = block[0]!;
    let max = min;
    for (let n = 0; n < block.length; n++) {
      const x = block[n]!;
      sum += x;
      squares += x * x;
      if (x < min) min = x;
      if (x > max) max = x;
    }
    this.#mean = sum / block.length;
    this.#square = squares / block.length;
    this.#min = min;
    this.#max = max;
  }

  // Deviations from the mean: a second look at the samples, so that a large mean costs no digits.
  #shape(): this {
    const block = this.#block;
    if (this.#hasShape || block === undefined) return this;
    this.#hasShape = true;
    const mean = this.#mean;
    let second = 0;
    let third = 0;
    let fourth = 0;
    let crossings = 0;
    let wasBelow = block[0]! < mean;
    for (let n = 0; n < block.length; n++) {
      const deviation = block[n]! - mean;
      const square = deviation * deviation;
      second += square;
      third += square * deviation;
      fourth += square * square;
      const isBelow = deviation < 0;
      if (isBelow !== wasBelow) crossings += 1;
      wasBelow = isBelow;
    }
    const variance = second / block.length;
    this.#variance = variance;
    this.#skew = variance === 0 ? 0 : third / block.length / variance ** 1.5;
    this.#kurtosis = variance === 0 ? 0 : fourth / block.length / variance ** 2 - 3;
    this.#crossings = crossings;
    return this;
  }

  #inOrder(): OrderStatistics {
    if (this.#block !== undefined && !this.#isSorted) {
      this.#sorted.set(this.#block);
      this.#sorted.sort();
      this.#isSorted = true;
    }
    return this.#order;
  }
}
