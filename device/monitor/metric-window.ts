// The newest labelled rows of one version: exact sums over so many of them, whatever has come before.

import { emptyMetricSums, type MetricSums } from "../../shared/model/metric.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";

const [CORRECT, DECIDED, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE] = [1, 2, 4, 8, 16];

/** A ring of rows: 33 bytes each. Nothing is added up before it is asked for, so no rounding error grows. */
export class MetricWindow implements Stateful {
  readonly #timesMs: Float64Array;
  readonly #squares: Float64Array;
  readonly #absolutes: Float64Array;
  readonly #losses: Float64Array;
  readonly #flags: Uint8Array;
  #seen = 0;

  /** `rows` that it is about. */
  constructor(rows: number) {
    this.#timesMs = new Float64Array(rows);
    this.#squares = new Float64Array(rows);
    this.#absolutes = new Float64Array(rows);
    this.#losses = new Float64Array(rows);
    this.#flags = new Uint8Array(rows);
  }

  /** Rows in it. */
  get rows(): number {
    return Math.min(this.#seen, this.#flags.length);
  }

  /** Adds the sums of one row, at its event time. */
  add(timeMs: number, { squaredError, absoluteError, loss, correct, confusion }: MetricSums): void {
    const at = this.#seen % this.#flags.length;
    this.#timesMs[at] = timeMs;
    this.#squares[at] = squaredError;
    this.#absolutes[at] = absoluteError;
    this.#losses[at] = loss;
    this.#flags[at] = correct * CORRECT! + (confusion === undefined ? 0 : DECIDED!);
    if (confusion !== undefined) {
      const { truePositives, falsePositives, falseNegatives } = confusion;
      this.#flags[at]! +=
        truePositives * TRUE_POSITIVE! + falsePositives * FALSE_POSITIVE! + falseNegatives * FALSE_NEGATIVE!;
    }
    this.#seen += 1;
  }

  /** Over all rows in it, oldest first. */
  sums(): MetricSums {
    const { rows } = this;
    const total = { squares: 0, absolutes: 0, losses: 0 };
    for (let back = rows; back >= 1; back--) {
      const at = this.#placeOf(back);
      total.squares += this.#squares[at]!;
      total.absolutes += this.#absolutes[at]!;
      total.losses += this.#losses[at]!;
    }
    const flags = this.#flags.subarray(0, rows);
    const count = (flag: number) => flags.reduce((sum, each) => sum + ((each & flag) === 0 ? 0 : 1), 0);
    const confusion = {
      truePositives: count(TRUE_POSITIVE!),
      falsePositives: count(FALSE_POSITIVE!),
      falseNegatives: count(FALSE_NEGATIVE!),
    };
    return {
      ...emptyMetricSums,
      ...{ rows, squaredError: total.squares, absoluteError: total.absolutes, loss: total.losses },
      correct: count(CORRECT!),
      ...(count(DECIDED!) > 0 && { confusion }),
    };
  }

  /** Event time of the row so many before the next one, 1 for the newest; the oldest there is where it has left. */
  timeOf(back: number): number | undefined {
    return this.rows === 0 ? undefined : this.#timesMs[this.#placeOf(Math.min(Math.max(back, 1), this.rows))];
  }

  save(): Saved {
    const { rows } = this;
    const saved: SavedWindow = {
      seen: this.#seen,
      timesMs: this.#timesMs.slice(0, rows),
      squares: this.#squares.slice(0, rows),
      absolutes: this.#absolutes.slice(0, rows),
      losses: this.#losses.slice(0, rows),
      flags: this.#flags.slice(0, rows),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { seen, timesMs, squares, absolutes, losses, flags } = saved as SavedWindow; // as `save` made it
    this.#seen = seen;
    this.#timesMs.set(timesMs);
    this.#squares.set(squares);
    this.#absolutes.set(absolutes);
    this.#losses.set(losses);
    this.#flags.set(flags);
  }

  #placeOf(back: number): number {
    return (this.#seen - back) % this.#flags.length;
  }
}

interface SavedWindow {
  readonly seen: number;
  readonly timesMs: Float64Array;
  readonly squares: Float64Array;
  readonly absolutes: Float64Array;
  readonly losses: Float64Array;
  readonly flags: Uint8Array;
}
