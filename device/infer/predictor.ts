// A prediction for every new row of features, by the version served at that moment.

import type { Counters } from "../../shared/counters.js";
import { readAnswer } from "../../shared/model/answer.js";
import type { Model } from "../../shared/model/runtime.js";
import { predictionId } from "../../shared/pipeline/labels/prediction-id.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { Prediction } from "../fact.js";
import type { BaseModel } from "../model/check.js";
import type { AnomalyThreshold } from "./anomaly-threshold.js";
import type { ModelSlot } from "./slot.js";

/** Rows predicted at once. */
const BATCH_ROWS = 256;

/** Takes predictions: whoever stores or shows them. */
export type PredictionSink = (prediction: Prediction) => void;

/** Predicts with whatever the slot serves; without a version, rows pass by uncounted: there is nothing to lose. */
export class Predictor {
  readonly #slot: ModelSlot;
  readonly #model: Model;
  readonly #pipelineHash: string;
  readonly #threshold: AnomalyThreshold | undefined;
  readonly #counters: Counters;
  readonly #sink: PredictionSink;

  constructor(options: {
    readonly slot: ModelSlot;
    readonly model: Model;
    readonly pipelineHash: string;
    /** Of an autoencoder whose task has one. */
    readonly threshold?: AnomalyThreshold | undefined;
    readonly counters: Counters;
    readonly sink: PredictionSink;
  }) {
    this.#slot = options.slot;
    this.#model = options.model;
    this.#pipelineHash = options.pipelineHash;
    this.#threshold = options.threshold;
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
      const tried = this.#tryVersion(served, rows);
      if (tried !== undefined) {
        this.#emit(served, rows, tried);
        return;
      }
      this.#slot.fallBack();
    }
  }

  #tryVersion(served: BaseModel, rows: readonly FeatureRow[]): Tried | undefined {
    const { params, scaler } = served;
    const { inputs } = this.#model.definition;
    const x = new Float32Array(rows.length * inputs);
    rows.forEach(({ features }, row) => {
      scaleInto(scaler, features, x, row * inputs);
    });
    try {
      this.#model.load(params);
      // First, because it predicts too, and what a prediction lies in is the model's.
      const threshold = this.#threshold?.of(served);
      return { x, threshold, outputs: this.#model.predict(x, rows.length) };
    } catch {
      return undefined;
    }
  }

  #emit(served: BaseModel, rows: readonly FeatureRow[], { x, outputs, threshold }: Tried): void {
    const { inputs, outputs: width, output: spec } = this.#model.definition;
    rows.forEach(({ entity, timeMs }, row) => {
      const output = outputs.subarray(row * width, (row + 1) * width);
      const answer = readAnswer(spec, served.scaler, output, x.subarray(row * inputs, (row + 1) * inputs));
      if (!Number.isFinite(answer.value) || !Number.isFinite(answer.probability ?? 0)) {
        this.#counters.add("predictions.not-finite");
        return;
      }
      const anomaly = threshold === undefined ? null : answer.value > threshold ? 1 : 0;
      const id = predictionId(this.#pipelineHash, entity, timeMs);
      this.#sink({ id, entity, timeMs, version: served.manifest.version, ...answer, anomaly });
    });
  }
}

/** Scaled rows and what the model made of them. */
interface Tried {
  readonly x: Float32Array;
  readonly outputs: Float32Array;
  readonly threshold: number | undefined;
}
