// From which reconstruction error on a row is an anomaly: a quantile over the device's own held-out rows.

import { reconstructionError } from "../../shared/model/reconstruction-error.js";
import type { Model } from "../../shared/model/runtime.js";
import { OrderStatistics } from "../../shared/pipeline/quantile.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { BaseModel } from "../model/check.js";
import { isSameVersion, type VersionName } from "../release/store.js";

/** Held-out rows that it is taken from: the newest. */
const ROWS_MAX = 2_000;
/** Held-out rows that must have come for it to be taken anew, as a share of those there were. */
const GROWTH = 0.1;
const BATCH_ROWS = 256;

/** What a threshold is taken from. */
export interface AnomalyThresholdOptions {
  /** Share of held-out rows that are no anomalies. */
  readonly quantile: number;
  readonly model: Pick<Model, "definition" | "predict">;
  /** Held-out rows that are stored. */
  heldOutCount(): number;
  /** Bytes of the newest held-out rows, unscaled, at most so many. */
  heldOut(limit: number): readonly Uint8Array[];
}

/**
 * Knows the threshold of the version that is served. It is taken anew when another version is served and whenever the
 * held-out rows have become more than a tenth more or fewer: never in between, so that equal rows are judged alike. While there are
 * too few rows for the quantile to lie among them, 1 / (1 - quantile), nothing is called an anomaly.
 */
export class AnomalyThreshold {
  readonly #options: AnomalyThresholdOptions;
  #taken: { readonly of: VersionName; readonly rows: number; readonly value: number | undefined } | undefined;

  constructor(options: AnomalyThresholdOptions) {
    this.#options = options;
  }

  /** The threshold for `served`, whose params the model has loaded; undefined while it is not known. */
  of(served: BaseModel): number | undefined {
    const rows = this.#options.heldOutCount();
    const { manifest } = served;
    const taken = this.#taken;
    const isCurrent =
      taken !== undefined &&
      isSameVersion(taken.of, manifest) &&
      Math.abs(rows - taken.rows) <= taken.rows * GROWTH;
    if (isCurrent) return taken.value;
    const value = this.#take(served);
    this.#taken = { of: manifest, rows, value };
    return value;
  }

  #take(served: BaseModel): number | undefined {
    const { quantile, heldOut } = this.#options;
    const rows = heldOut(ROWS_MAX);
    if (rows.length < 1 / (1 - quantile) - 1e-9) return undefined;
    const errors = new Float64Array(rows.length);
    for (let start = 0; start < rows.length; start += BATCH_ROWS)
      errors.set(this.#errors(served, rows.slice(start, start + BATCH_ROWS)), start);
    return new OrderStatistics(errors.sort()).quantile(quantile);
  }

  #errors({ scaler }: BaseModel, rows: readonly Uint8Array[]): readonly number[] {
    const { model } = this.#options;
    const { inputs } = model.definition;
    const values = new Float32Array(inputs);
    const x = new Float32Array(rows.length * inputs);
    rows.forEach((bytes, row) => {
      new Uint8Array(values.buffer).set(bytes);
      scaleInto(scaler, values, x, row * inputs);
    });
    const outputs = model.predict(x, rows.length);
    return rows.map((_, row) => {
      const [from, to] = [row * inputs, (row + 1) * inputs];
      return reconstructionError(outputs.subarray(from, to), x.subarray(from, to));
    });
  }
}
