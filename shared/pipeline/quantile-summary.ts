// What a device tells of a column's distribution, and what a fleet's tellings come to: for robust scaling.

import { assert } from "../assert.js";
import { OrderStatistics, type QuantileSketch } from "./quantile.js";

/** Points of a summary. A power of three: thinned to its middles, every third point is a summary too. */
export const SUMMARY_POINTS = 81;

/** Bytes of a summary. */
export const SUMMARY_BYTES = SUMMARY_POINTS * Float32Array.BYTES_PER_ELEMENT;

/** Most bytes that the points of one round take. Beyond, each device keeps a third of its points, or a ninth. */
const POOL_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The values at shares (k - 1/2) / 81 of the values seen, as float32, little-endian. Nothing of this size tells more: the rank
 * of any value follows to within 1/162 (Greenwald and Khanna 2001), and within the sketch's own error. Zeros for no values.
 */
export function summarise(sketch: QuantileSketch): Uint8Array {
  const order = sketch.count === 0 ? undefined : sketch.read();
  const view = new DataView(new ArrayBuffer(SUMMARY_BYTES));
  for (let k = 0; k < SUMMARY_POINTS; k++) {
    view.setFloat32(4 * k, order?.atRank((k + 0.5) / SUMMARY_POINTS) ?? 0, true);
  }
  return new Uint8Array(view.buffer);
}

/** The points of a peer's summary, or undefined when it is none: another length, not finite, or not in rising order. */
export function readSummary(bytes: Uint8Array): Float32Array | undefined {
  if (bytes.length !== SUMMARY_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const points = new Float32Array(SUMMARY_POINTS);
  for (let k = 0; k < SUMMARY_POINTS; k++) {
    points[k] = view.getFloat32(4 * k, true);
    if (!Number.isFinite(points[k]) || (k > 0 && points[k]! < points[k - 1]!)) return undefined;
  }
  return points;
}

/** Lower quartile, median, upper quartile. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * Summaries of one column from many devices. A device's points count for its examples, so the pooled ranks are off by no more
 * than the worst summary's are (Agarwal et al. 2012, mergeable summaries): 1/162. What comes out depends on which summaries
 * came in, not on their order, to the bit: the points are sorted, and their weights are whole numbers.
 */
export class PooledQuantiles {
  readonly #points: Float32Array;
  readonly #weights: Float64Array;
  // Every so many of a summary's points are kept, the middle one of each group.
  readonly #stride: number;
  #size = 0;

  /** Room for the summaries of `devices`, one of `columns` such pools. */
  constructor(devices: number, columns: number) {
    this.#stride = strideFor(devices * columns);
    const capacity = devices * (SUMMARY_POINTS / this.#stride);
    this.#points = new Float32Array(capacity);
    this.#weights = new Float64Array(capacity);
  }

  /** Adds the summary of `examples` values. It must be a sound one. */
  add(summary: Uint8Array, examples: number): void {
    const points = readSummary(summary);
    assert(points !== undefined, "a summary that was accepted can be read");
    for (let k = (this.#stride - 1) / 2; k < points.length; k += this.#stride) {
      // No negative zero: it sorts like zero, and would make the bits depend on the order.
      this.#points[this.#size] = points[k]! + 0;
      this.#weights[this.#size++] = examples;
    }
  }

  /** Of everything added: at least one summary. */
  quartiles(): Quartiles {
    const order = Uint32Array.from({ length: this.#size }, (_, i) => i);
    order.sort((a, b) => this.#points[a]! - this.#points[b]!);
    const pooled = new OrderStatistics(
      Float64Array.from(order, (i) => this.#points[i]!),
      Float64Array.from(order, (i) => this.#weights[i]!),
    );
    return { low: pooled.atRank(0.25), median: pooled.atRank(0.5), high: pooled.atRank(0.75) };
  }
}

function strideFor(summaries: number): number {
  let stride = 1;
  const bytesPerPoint = Float32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT;
  while (stride < SUMMARY_POINTS && summaries * (SUMMARY_POINTS / stride) * bytesPerPoint > POOL_BYTES_MAX) {
    stride *= 3;
  }
  return stride;
}
