// Statistics of columns: gathered by each device for a `fit` round, put together by the server.

import { assert } from "../assert.js";
import { Moments } from "./moments.js";
import { QuantileSketch } from "./quantile.js";
import { PooledQuantiles, type Quartiles, summarise } from "./quantile-summary.js";
import type { ColumnStatistics, QuantileNeeds } from "./types.js";

/** Gathers statistics over examples, one by one. */
export interface StatisticsAccumulator {
  /** Adds one example, unscaled. */
  add(features: Float32Array, label: number): void;
  /** What was added so far: one element per column, then the label. All zero when nothing was. */
  finish(): ColumnStatistics;
}

/** An accumulator for `columns` feature columns and the label. Float64; Welford 1962. Quantiles only where they are needed. */
export function statisticsOf(columns: number, needs?: QuantileNeeds): StatisticsAccumulator {
  const moments = Array.from({ length: columns + 1 }, () => new Moments());
  const sketches = moments.map((_, column) =>
    isNeeded(column, columns, needs) ? new QuantileSketch() : undefined,
  );
  const add = (column: number, value: number) => {
    moments[column]!.add(value);
    sketches[column]?.add(value);
  };
  return {
    add(features, label) {
      assert(features.length === columns, `${features.length} features for ${columns} columns`);
      for (let i = 0; i < columns; i++) add(i, features[i]!);
      add(columns, label);
    },
    finish() {
      const statistics = toStatistics(moments);
      if (sketches.every((sketch) => sketch === undefined)) return statistics;
      const quantiles = sketches.map((each) => (each === undefined ? new Uint8Array() : summarise(each)));
      return { ...statistics, quantiles };
    },
  };
}

function isNeeded(column: number, columns: number, needs: QuantileNeeds | undefined): boolean {
  return needs !== undefined && (column === columns ? needs.label : needs.features);
}

/** The statistics of both sides' examples together (Chan, Golub and LeVeque 1983), but for quantiles. Equal widths. */
export function mergeStatistics(a: ColumnStatistics, b: ColumnStatistics): ColumnStatistics {
  assert(a.mean.length === b.mean.length, `statistics of ${a.mean.length} and ${b.mean.length} columns`);
  const merged = a.mean.map((_, column) => {
    const moments = columnMoments(a, column);
    moments.merge(columnMoments(b, column));
    return moments;
  });
  return toStatistics(merged);
}

/** What a fleet's statistics come to. */
export interface FleetStatistics extends ColumnStatistics {
  /** One per column, then the label; undefined where no quantiles were asked for. */
  readonly quartiles?: readonly (Quartiles | undefined)[];
}

/** Puts the statistics of a round's devices together, one device at a time. */
export class StatisticsPool {
  readonly #devices: number;
  #merged: ColumnStatistics | undefined;
  #pools: readonly (PooledQuantiles | undefined)[] | undefined;

  /** For so many devices. */
  constructor(devices: number) {
    this.#devices = devices;
  }

  add(statistics: ColumnStatistics): void {
    const { quantiles = [], count } = statistics;
    this.#pools ??= createPools(quantiles, this.#devices);
    this.#merged = this.#merged === undefined ? statistics : mergeStatistics(this.#merged, statistics);
    quantiles.forEach((summary, column) => {
      this.#pools?.[column]?.add(summary, count);
    });
  }

  /** Of at least one device. Waits for `pause` after each column whose quantiles it has sorted. */
  async finish(pause: () => Promise<void>): Promise<FleetStatistics> {
    assert(this.#merged !== undefined, "a fit round closes with updates");
    const quartiles: (Quartiles | undefined)[] = [];
    for (const pool of this.#pools ?? []) {
      quartiles.push(pool?.quartiles());
      if (pool !== undefined) await pause();
    }
    return { ...this.#merged, quartiles };
  }
}

function createPools(
  quantiles: readonly Uint8Array[],
  devices: number,
): readonly (PooledQuantiles | undefined)[] {
  const needed = quantiles.filter(({ length }) => length > 0).length;
  return quantiles.map(({ length }) => (length > 0 ? new PooledQuantiles(devices, needed) : undefined));
}

/** One column's summary. */
export function columnMoments({ count, mean, m2, min, max }: ColumnStatistics, column: number): Moments {
  const moments = new Moments();
  moments.count = count;
  moments.mean = mean[column]!;
  moments.m2 = m2[column]!;
  if (count > 0) {
    moments.min = min[column]!;
    moments.max = max[column]!;
  }
  return moments;
}

// Zeros for an empty summary: infinities have no place on the wire.
function toStatistics(moments: readonly Moments[]): ColumnStatistics {
  const isEmpty = moments.every(({ count }) => count === 0);
  return {
    count: moments[0]?.count ?? 0,
    mean: moments.map(({ mean }) => mean),
    m2: moments.map(({ m2 }) => m2),
    min: moments.map(({ min }) => (isEmpty ? 0 : min)),
    max: moments.map(({ max }) => (isEmpty ? 0 : max)),
  };
}
