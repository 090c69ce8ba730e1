// A prediction for every new row of features, by the version served at that moment; and, in a trial, what the other
// version would have said.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { messageOf } from "../../shared/error.js";
import { type Answer, isFiniteAnswer } from "../../shared/model/answer.js";
import { readAnswers } from "../../shared/model/ask.js";
import type { Model } from "../../shared/model/runtime.js";
import { predictionId } from "../../shared/pipeline/labels/prediction-id.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { Prediction } from "../fact.js";
import type { BaseModel } from "../model/check.js";
import type { ModelSlot } from "../release/slot.js";
import type { AnomalyThreshold } from "./anomaly-threshold.js";
import { type Answers, askModel } from "./answers.js";
import { Health } from "./health.js";

/** Rows predicted at once. */
const BATCH_ROWS = 256;

/** Takes predictions: whoever stores or shows them. */
export type PredictionSink = (prediction: Prediction) => void;

/** What one version said on some rows. */
export interface Verdicts {
  readonly version: BaseModel;
  readonly answers: Answers;
  /** One per row. */
  readonly said: readonly Answer[];
  /** Their values; NaN where an answer is no finite number. */
  readonly values: Float64Array;
}

/** Hears what was said on rows that came together, before anything else comes of them. */
export type AnswerSink = (
  rows: readonly FeatureRow[],
  serving: Verdicts,
  beside: Verdicts | undefined,
) => void;

/** What a predictor stands on. */
export interface PredictorOptions {
  readonly slot: Pick<ModelSlot, "serving" | "beside" | "failServing" | "failBeside">;
  readonly model: Model;
  readonly pipelineHash: string;
  /** Of an autoencoder whose task has one. */
  readonly threshold?: AnomalyThreshold | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly sink: PredictionSink;
  /** Whoever watches versions; nobody asks the other version of a trial otherwise. */
  readonly watch?: AnswerSink | undefined;
}

/** Predicts with whatever the slot serves; without a version, rows pass by uncounted: there is nothing to lose. */
export class Predictor {
  readonly #options: PredictorOptions;
  readonly #health = new Health();
  readonly #besideHealth = new Health();

  constructor(options: PredictorOptions) {
    this.#options = options;
  }

  /** Predicts rows that came together. `isKnown`: their predictions have been given out already. */
  predict(rows: readonly FeatureRow[], isKnown = false): void {
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      this.#predictBatch(rows.slice(start, start + BATCH_ROWS), isKnown);
    }
  }

  #predictBatch(rows: readonly FeatureRow[], isKnown: boolean): void {
    const { slot, watch } = this.#options;
    for (let served = slot.serving; served !== undefined; served = slot.serving) {
      const answered = this.#ask(served, rows);
      if ("error" in answered) {
        slot.failServing("exception", answered.error);
        continue;
      }
      const { verdicts, threshold } = answered;
      if (!isKnown) this.#emit(rows, verdicts, threshold);
      // Only afterwards: nobody waits for what the other version says.
      watch?.(rows, verdicts, this.#askBeside(rows));
      if (!this.#health.see(served, verdicts.values, verdicts.answers)) slot.failServing("not-finite");
      return;
    }
  }

  #ask(version: BaseModel, rows: readonly FeatureRow[]) {
    const { model, clock } = this.#options;
    try {
      model.load(version.params);
      // First, because it predicts too, and what a prediction lies in is the model's.
      const threshold = this.#options.threshold?.of(version);
      return { threshold, verdicts: this.#verdicts(version, askModel(model, version, rows, clock)) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  #askBeside(rows: readonly FeatureRow[]): Verdicts | undefined {
    const { slot, model, clock } = this.#options;
    const { beside } = slot;
    if (beside === undefined) return undefined;
    try {
      model.load(beside.params);
      const verdicts = this.#verdicts(beside, askModel(model, beside, rows, clock));
      if (!this.#besideHealth.see(beside, verdicts.values, verdicts.answers)) slot.failBeside("not-finite");
      return verdicts;
    } catch (error) {
      slot.failBeside("exception", messageOf(error));
      return undefined;
    }
  }

  #verdicts(version: BaseModel, answers: Answers): Verdicts {
    const said = readAnswers(this.#options.model.definition, version.scaler, answers);
    return { version, answers, said, values: Float64Array.from(said, finiteValue) };
  }

  #emit(rows: readonly FeatureRow[], { said, values, version }: Verdicts, threshold?: number): void {
    const { counters, pipelineHash, sink } = this.#options;
    rows.forEach(({ entity, timeMs }, row) => {
      const value = values[row]!;
      if (Number.isNaN(value)) {
        counters.add("predictions.not-finite");
        return;
      }
      const anomaly = threshold === undefined ? null : value > threshold ? 1 : 0;
      const id = predictionId(pipelineHash, entity, timeMs);
      sink({ id, entity, timeMs, version: version.manifest.version, ...said[row]!, anomaly });
    });
  }
}

function finiteValue(answer: Answer): number {
  return isFiniteAnswer(answer) ? answer.value : Number.NaN;
}
