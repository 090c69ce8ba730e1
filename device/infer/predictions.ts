// Predictions on disk: a bounded ring that other programs on the device may read.

import type { Counters } from "../../shared/counters.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { BatchedWrites, type WriteBatch } from "../batched-writes.js";
import type { Prediction } from "../fact.js";

/** Predictions kept; the oldest go first. A week of one a minute. */
const KEPT_MAX = 10_000;

/** The table `prediction` of `telemetry.db`. */
export class PredictionLog {
  readonly #database: Database;
  readonly #batch: WriteBatch;
  readonly #writes: BatchedWrites<Prediction>;

  /** `batch` is of the same database. */
  constructor(database: Database, batch: WriteBatch, counters: Counters) {
    this.#database = database;
    this.#batch = batch;
    this.#writes = new BatchedWrites(batch, {
      write: (predictions) => this.#write(predictions),
      failed: () => undefined,
      makeRoom: () => false,
      // A full disk costs the log, not the predictions: those have been given out already.
      drop: (predictions) => counters.add("predictions.not-logged", predictions.length),
    });
  }

  add(prediction: Prediction): void {
    this.#writes.add(prediction);
  }

  /** The newest predictions, newest first. */
  newest(limit: number): readonly Prediction[] {
    this.flush();
    return this.#database
      .all(
        `SELECT prediction_id, entity, time_ms, version, value, probability, anomaly FROM prediction
         ORDER BY id DESC LIMIT ?`,
        limit,
      )
      .map(predictionOf);
  }

  /** Brings everything to disk. */
  flush(): void {
    this.#batch.flush();
  }

  #write(predictions: readonly Prediction[]): () => void {
    // Room first: on a full disk only what was deleted can be written again.
    this.#database.run(
      `DELETE FROM prediction WHERE id <= (SELECT max(id) FROM prediction) - ?`,
      KEPT_MAX - predictions.length,
    );
    for (const { id, entity, timeMs, version, value, probability, anomaly } of predictions) {
      this.#database.run(
        `INSERT INTO prediction (prediction_id, entity, time_ms, version, value, probability, anomaly)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ...[id, entity, timeMs, version, value, probability, anomaly],
      );
    }
    return () => undefined;
  }
}

/** A row of the table `prediction`. */
export function predictionOf(row: Row): Prediction {
  return {
    id: String(row.prediction_id ?? ""), // of a prediction that was made before there were ids
    entity: String(row.entity),
    timeMs: Number(row.time_ms),
    version: Number(row.version),
    value: Number(row.value),
    probability: row.probability === null ? null : Number(row.probability),
    anomaly: row.anomaly === null ? null : row.anomaly === 0 ? 0 : 1,
  };
}
