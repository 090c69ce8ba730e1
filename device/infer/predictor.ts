// A prediction for every new row of features, by the version served at that moment.

import type { Counters } from "../../shared/counters.js";
import type { Model } from "../../shared/model/runtime.js";
import { scaleInto, unscaleLabel } from "../../shared/pipeline/scaler.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { Prediction } from "../fact.js";
import type { BaseModel } from "../model/check.js";
import type { ModelSlot } from "./slot.js";

/** Rows predicted at once. */
const BATCH_ROWS = 256;

/** Takes predictions: whoever stores or shows them. */
export type PredictionSink = (prediction: Prediction) => void;

/** Predicts with whatever the slot serves; without a version, rows pass by uncounted: there is nothing to lose. */
export class Predictor {
  readonly #slot: ModelSlot;
  readonly #model: Model;
  readonly #counters: Counters;
  readonly #sink: PredictionSink;

  constructor(options: {
    readonly slot: ModelSlot;
    readonly model: Model;
    readonly counters: Counters;
    readonly sink: PredictionSink;
  }) {
    this.#slot = options.slot;
    this.#model = options.model;
    this.#counters = options.counters;
    this.#sink = options.sink;
  }

  /** Predicts rows that came together. */
  predict(rows: readonly FeatureRow[]): void {
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      this.#predictBatch(rows.slice(start, start + BATCH_ROWS));
    }
  }

  #predictBatch(rows: readonly FeatureRow[]): void {
    for (let served = this.#slot.serving; served !== undefined; served = this.#slot.serving) {
      const outputs = this.#tryVersion(served, rows);
      if (outputs !== undefined) {
        this.#emit(served, rows, outputs);
        return;
      }
      this.#slot.fallBack();
    }
  }

  #tryVersion({ params, scaler }: BaseModel, rows: readonly FeatureRow[]): Float32Array | undefined {
    const { inputs } = this.#model.definition;
    const x = new Float32Array(rows.length * inputs);
    rows.forEach(({ features }, row) => {
      scaleInto(scaler, features, x, row * inputs);
    });
    try {
      this.#model.load(params);
      return this.#model.predict(x, rows.length);
    } catch {
      return undefined;
    }
  }

  #emit(served: BaseModel, rows: readonly FeatureRow[], outputs: Float32Array): void {
    const width = this.#model.definition.outputs;
    rows.forEach(({ entity, timeMs }, row) => {
      const answer = this.#read(served, outputs.subarray(row * width, (row + 1) * width));
      if (!Number.isFinite(answer.value) || !Number.isFinite(answer.probability ?? 0)) {
        this.#counters.add("predictions.not-finite");
        return;
      }
      this.#sink({ entity, timeMs, version: served.manifest.version, ...answer });
    });
  }

  #read({ scaler }: BaseModel, output: Float32Array): Pick<Prediction, "value" | "probability"> {
    if (this.#model.definition.output.kind === "regression") {
      return { value: unscaleLabel(scaler, output[0]!), probability: null };
    }
    const probability = output.reduce((largest, share) => Math.max(largest, share));
    return { value: output.indexOf(probability), probability };
  }
}
