// Rows scored in bulk by one version: the predictor of a live device, without the device.

import { systemClock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import { buildTaskModel } from "../../shared/model/arms-model.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Manifest } from "../../shared/wire/message.js";
import { AnomalyThreshold } from "../infer/anomaly-threshold.js";
import { type PredictionSink, Predictor } from "../infer/predictor.js";
import { placeOf } from "../model/arms.js";
import { checkModel } from "../model/check.js";
import { hashBlob } from "../model/hashed-blob.js";
import type { FailureReason } from "../release/failures.js";

/** Rows predicted at once; the last ones may be fewer. */
const BATCH_ROWS = 256;

/** A version, the task it belongs to, and what rows of its own it is judged by. */
export interface ScoringModel {
  readonly loaded: LoadedTask;
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
  /** Held-out rows of a device, for the threshold of an autoencoder: bytes of unscaled features, the newest so many. */
  readonly heldOut?: (limit: number) => readonly Uint8Array[];
}

/** Which rows are scored, by event time: from this on, to before that. */
export interface ScoreRange {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

export interface ScorerOptions {
  readonly scored: ScoringModel;
  readonly runtime: ModelRuntime;
  readonly range: ScoreRange;
  /** Answers that are not finite are counted as `predictions.not-finite`; too many of them end it, as a device would. */
  readonly counters: Counters;
  readonly sink: PredictionSink;
}

/** Takes rows in the order of a pipeline; predictions come in the same order. */
export interface Scorer {
  features(row: FeatureRow): void;
  /** Scores the rows that wait for a batch. */
  flush(): void;
}

/**
 * A scorer. Rejects with `data-invalid` when the version is not what its manifest says or does not belong to the task,
 * and as `buildTaskModel`.
 */
export async function createScorer(options: ScorerOptions): Promise<Scorer> {
  const { scored, runtime, range, counters, sink } = options;
  const { loaded, manifest, heldOut } = scored;
  const { task, pipelineHash } = loaded;
  const model = await buildTaskModel(task, runtime);
  const checked = checkModel(hashBlob(scored.blob), manifest, placeOf(model, loaded));
  if (!checked.ok) {
    const message = `version ${manifest.version} does not go with task ${task.task}: ${checked.reason}`;
    throw new HeadwaterError("data-invalid", message);
  }
  const slot = {
    serving: checked.model,
    beside: undefined,
    failServing(reason: FailureReason) {
      const message = `version ${manifest.version} cannot be run here: ${reason}`;
      throw new HeadwaterError("model-unsupported", message);
    },
    failBeside: () => undefined,
  };
  const quantile = task.label.kind === "none" ? task.label.threshold : undefined;
  const threshold = quantile === undefined || heldOut === undefined ? undefined : heldOutThreshold(quantile);
  const predictor = new Predictor({
    slot,
    model,
    pipelineHash,
    threshold,
    clock: systemClock,
    counters,
    sink,
  });
  const [fromMs, toMs] = [range.fromMs ?? Number.NEGATIVE_INFINITY, range.toMs ?? Number.POSITIVE_INFINITY];
  let waiting: FeatureRow[] = [];
  const flush = () => {
    const rows = waiting;
    waiting = [];
    predictor.predict(rows);
  };
  return {
    features(row) {
      if (row.timeMs < fromMs || row.timeMs >= toMs) return;
      waiting.push(row);
      if (waiting.length >= BATCH_ROWS) flush();
    },
    flush,
  };

  function heldOutThreshold(quantile: number): AnomalyThreshold {
    const rows = heldOut?.(HELD_OUT_MAX) ?? [];
    return new AnomalyThreshold({
      quantile,
      model,
      heldOutCount: () => rows.length,
      heldOut: (limit) => rows.slice(0, limit),
    });
  }
}

/** As many as a device takes a threshold from, and more. */
const HELD_OUT_MAX = 10_000;
