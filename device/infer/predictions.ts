// Predictions on disk: the newest, found by entity and time, for whoever asks on the device or reads the file.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Cell, Database, Row } from "../../shared/storage/port.js";
import { BatchedWrites, type WriteBatch } from "../batched-writes.js";
import type { Prediction } from "../fact.js";
import { defaultPredictionKeep, type PredictionKeep } from "./keep.js";

/** Disk that one takes with its indexes, beside its entity (`test/unit/device/infer/predictions.test.ts` holds it to that). */
const ROW_BYTES = 200;
/** How often the entity is stored: in the row and in an index. */
const ENTITY_COPIES = 2;
/** Deleted at once where there is too much. */
const DELETE_ROWS = 1_000;

export interface PredictionLogOptions {
  readonly database: Database;
  /** Of the same database. */
  readonly batch: WriteBatch;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly keep?: PredictionKeep;
}

/** Which predictions; what is undefined restricts nothing. */
export interface PredictionQuery {
  readonly entity?: string | undefined;
  /** By event time: from this on... */
  readonly fromMs?: number | undefined;
  /** ...to before this. */
  readonly toMs?: number | undefined;
  /** Only those behind this one, in the order of the answer. */
  readonly after?: PredictionPlace | undefined;
  readonly limit: number;
}

/** A place in the order of answers. */
export interface PredictionPlace {
  readonly timeMs: number;
  readonly row: number;
}

/** The newest event time first. */
export interface PredictionPage {
  readonly predictions: readonly Prediction[];
  /** `after` of the next page; undefined on the last. */
  readonly next: PredictionPlace | undefined;
}

/**
 * The table `prediction` of `telemetry.db`. A row of features has one prediction: what is made of it again, by a newer
 * version or after a late reading, takes the place of the one before.
 */
export class PredictionLog {
  readonly #options: PredictionLogOptions;
  readonly #keep: PredictionKeep;
  readonly #writes: BatchedWrites<Prediction>;
  /** What is on disk. */
  #held: Held;

  constructor(options: PredictionLogOptions) {
    const { database, batch, counters, keep = defaultPredictionKeep } = options;
    this.#options = options;
    this.#keep = keep;
    this.#held = readHeld(database);
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

  /** By entity and time. */
  find(query: PredictionQuery): PredictionPage {
    this.flush();
    return findPredictions(this.#options.database, query);
  }

  /** Brings everything to disk. */
  flush(): void {
    this.#options.batch.flush();
  }

  #write(predictions: readonly Prediction[]): () => void {
    const { database, clock } = this.#options;
    const nowMs = Math.trunc(clock.now());
    // Room first: on a full disk only what was deleted can be written again.
    let held = this.#makeRoom(nowMs, predictions);
    for (const { id, entity, timeMs, version, value, probability, anomaly } of predictions) {
      held = without(held, database.all(`DELETE FROM prediction WHERE prediction_id = ? ${RETURNING}`, id));
      database.run(
        `INSERT INTO prediction (prediction_id, entity, time_ms, version, value, probability, anomaly, made_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[id, entity, timeMs, version, value, probability, anomaly, nowMs],
      );
      held = { rows: held.rows + 1, entityBytes: held.entityBytes + Buffer.byteLength(entity) };
    }
    // Beside the rows, in their transaction: no start has to count them.
    database.run(`UPDATE prediction_extent SET rows = ?, entity_bytes = ?`, held.rows, held.entityBytes);
    return () => {
      this.#held = held;
    };
  }

  #makeRoom(nowMs: number, coming: readonly Prediction[]): Held {
    const { database } = this.#options;
    const { rows, ageMs, bytes = Number.POSITIVE_INFINITY } = this.#keep;
    const wanted = heldBy(coming);
    let held = this.#held;
    for (;;) {
      const excessRows = held.rows + wanted.rows - rows;
      const excessBytes = bytesOf(held) + bytesOf(wanted) - bytes;
      if (held.rows === 0 || (excessRows <= 0 && excessBytes <= 0)) break;
      held = this.#deleteOldest(
        held,
        Math.max(excessRows, Math.ceil((excessBytes * held.rows) / bytesOf(held))),
      );
    }
    if (ageMs === undefined) return held;
    const expired = `DELETE FROM prediction WHERE id < coalesce(
      (SELECT id FROM prediction WHERE made_ms >= ? ORDER BY id LIMIT 1), 9223372036854775807) ${RETURNING}`;
    return without(held, database.all(expired, nowMs - ageMs));
  }

  #deleteOldest(held: Held, count: number): Held {
    const oldest = `DELETE FROM prediction WHERE id IN (SELECT id FROM prediction ORDER BY id LIMIT ?) ${RETURNING}`;
    return without(held, this.#options.database.all(oldest, Math.min(count, DELETE_ROWS)));
  }
}

/** Predictions of a device's `telemetry.db`, by entity and time. */
function findPredictions(
  database: Database,
  { entity, fromMs, toMs, after, limit }: PredictionQuery,
): PredictionPage {
  const wanted: readonly (readonly [sql: string, ...cells: readonly (Cell | undefined)[]])[] = [
    ["entity = ?", entity],
    ["time_ms >= ?", fromMs],
    ["time_ms < ?", toMs],
    ["(time_ms, id) < (?, ?)", after?.timeMs, after?.row],
  ];
  const given = wanted.filter((condition) => !condition.includes(undefined));
  const where = given.length === 0 ? "" : `WHERE ${given.map(([sql]) => sql).join(" AND ")}`;
  const rows = database.all(
    `SELECT * FROM prediction ${where} ORDER BY time_ms DESC, id DESC LIMIT ?`,
    ...given.flatMap(([, ...cells]) => cells.map((cell) => cell ?? null)),
    // One more than asked for tells whether there is another page.
    limit + 1,
  );
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    predictions: rows.slice(0, limit).map(predictionOf),
    next: last && { timeMs: Number(last.time_ms), row: Number(last.id) },
  };
}

/**
 * Each entity's prediction of the newest time: of so many entities, those whose was made last; the last made is last. Leaps from
 * entity to entity, so it costs what there are of them, not what there is of predictions.
 */
export function newestOfEach(database: Database, entities: number): readonly Prediction[] {
  const newest = database.all(
    `WITH RECURSIVE each (entity) AS (
       SELECT min(entity) FROM prediction
       UNION ALL
       SELECT (SELECT min(entity) FROM prediction WHERE entity > each.entity) FROM each WHERE each.entity IS NOT NULL)
     SELECT * FROM prediction WHERE id IN (
       SELECT (SELECT id FROM prediction WHERE entity = each.entity ORDER BY time_ms DESC, id DESC LIMIT 1) AS newest
       FROM each WHERE each.entity IS NOT NULL ORDER BY newest DESC LIMIT ?)
     ORDER BY id`,
    entities,
  );
  return newest.map(predictionOf);
}

/** Rows of predictions, and the bytes of their entities, in UTF-8. */
interface Held {
  readonly rows: number;
  readonly entityBytes: number;
}

const RETURNING = "RETURNING octet_length(entity) AS entity_bytes";

function readHeld(database: Database): Held {
  const row = database.get(`SELECT rows, entity_bytes FROM prediction_extent`);
  return { rows: Number(row?.rows), entityBytes: Number(row?.entity_bytes) };
}

function without({ rows, entityBytes }: Held, deleted: readonly Row[]): Held {
  const gone = deleted.reduce((sum, row) => sum + Number(row.entity_bytes), 0);
  return { rows: rows - deleted.length, entityBytes: entityBytes - gone };
}

function heldBy(predictions: readonly Prediction[]): Held {
  const entityBytes = predictions.reduce((sum, { entity }) => sum + Buffer.byteLength(entity), 0);
  return { rows: predictions.length, entityBytes };
}

function bytesOf({ rows, entityBytes }: Held): number {
  return ROW_BYTES * rows + ENTITY_COPIES * entityBytes;
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
