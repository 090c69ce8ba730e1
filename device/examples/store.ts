// The example store: a bounded ring on disk, and a draw of the train rows that have left it. Raw rows never leave the
// device; the oldest go first. A full disk costs examples, never the device: inference goes on.

import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Example, Split } from "../../shared/pipeline/types.js";
import type { Database } from "../../shared/storage/port.js";
import type { RowsSpec } from "../../shared/task/task.js";
import { BatchedWrites, type WriteBatch } from "../batched-writes.js";
import { type LeavingRow, Reservoir, type ReservoirOptions } from "./reservoir.js";

/** What else a row takes on disk: ids, time, label, the entity's name, its places in two indexes. */
const ROW_OVERHEAD_BYTES = 128;
/** When the disk is full this share of the rows makes room, so that it does not happen with every batch. */
const ROOM_SHARE = 0.1;

const CLOSED: ReservoirOptions = { size: 0, classes: 0, draw: () => 0 };

/** Bounds of a store. Rows have one width, so a bound in bytes is one in rows. */
export interface StoreLimits {
  /** In the ring. */
  readonly rows: number;
  readonly ageMs: number | undefined;
}

/** One stored example as it lies on disk. `features` is the bytes of float32s in the machine's own order. */
export interface StoredExample {
  readonly label: number;
  readonly persistence: number | null;
  readonly features: Uint8Array;
}

/** The limits of a task whose examples have so many columns. What the reservoir holds is not the ring's. */
export function storeLimits({ keep }: RowsSpec, columns: number): StoreLimits {
  const fitting = Math.floor(keep.bytes / (4 * columns + ROW_OVERHEAD_BYTES)) - keep.reservoir;
  return { rows: Math.max(1, Math.min(keep.rows, fitting)), ageMs: keep.ageMs };
}

/** Examples of one meaning: the same columns, label and splits. */
export class ExampleStore {
  readonly #database: Database;
  readonly #counters: Counters;
  readonly #batch: WriteBatch;
  readonly #writes: BatchedWrites<Example>;
  readonly #limits: StoreLimits;
  readonly #reservoir: Reservoir;
  /** Per split on disk, undefined when they have to be counted. */
  #counts: Record<Split, number> | undefined;
  /** Rows on disk, undefined when they have to be counted: counting them with every batch would cost a scan. */
  #rows: number | undefined;
  /** Of these the reservoir's, undefined when they have to be counted. */
  #drawn: number | undefined;
  /** Rows that made room last, while the disk stays full. */
  #room = 0;
  #revision = 0;
  /** What `newestFeatures` gave last, for as long as nothing is added: every new model is tried on the same rows. */
  #newest:
    | { readonly revision: number; readonly limit: number; readonly features: readonly Uint8Array[] }
    | undefined;

  /** `meaning` names what a column, a label and a split mean; rows of another meaning are cleared and counted. */
  constructor(options: {
    readonly database: Database;
    /** Of the same database. */
    readonly batch: WriteBatch;
    readonly counters: Counters;
    readonly limits: StoreLimits;
    /** Default: nothing is kept of what leaves the ring. */
    readonly reservoir?: ReservoirOptions;
    readonly meaning: string;
  }) {
    this.#database = options.database;
    this.#counters = options.counters;
    this.#limits = options.limits;
    this.#reservoir = new Reservoir(options.database, options.reservoir ?? CLOSED);
    this.#batch = options.batch;
    this.#writes = new BatchedWrites(options.batch, {
      write: (examples) => this.#write(examples),
      failed: () => {
        this.#rows = undefined;
        this.#drawn = undefined;
      },
      makeRoom: (examples) => this.#makeRoomFor(examples),
      drop: (examples) => this.#drop(examples),
    });
    this.#claim(options.meaning);
  }

  /** Changes whenever the stored examples do. */
  get revision(): number {
    return this.#revision;
  }

  add(example: Example): void {
    this.#revision++;
    this.#writes.add(example);
  }

  /** Examples per split, those that wait to be written included. */
  counts(): Readonly<Record<Split, number>> {
    const counts = { ...this.stored() };
    for (const { split, revision } of this.#writes.waiting) if (revision === undefined) counts[split]++;
    return counts;
  }

  /** Examples per split on disk. */
  stored(): Readonly<Record<Split, number>> {
    this.#counts ??= this.#count();
    return this.#counts;
  }

  /** Examples of a split from an event time on. */
  countSince(split: Split, sinceMs: number): number {
    this.flush();
    const sql = `SELECT count(*) AS rows FROM example WHERE split = ? AND time_ms >= ?`;
    return Number(this.#database.get(sql, split, sinceMs)?.rows);
  }

  /** At most `limit` examples of a split from an event time on, in the order they were stored, after the row `afterId`. */
  page(
    split: Split,
    {
      afterId,
      sinceMs = Number.MIN_SAFE_INTEGER,
    }: { readonly afterId: number; readonly sinceMs?: number | undefined },
    limit: number,
  ): { readonly lastId: number; readonly examples: readonly StoredExample[] } {
    this.flush();
    const rows = this.#database.all(
      `SELECT id, label, persistence, features FROM example
       WHERE split = ? AND id > ? AND time_ms >= ? ORDER BY id LIMIT ?`,
      ...[split, afterId, sinceMs, limit],
    );
    const examples = rows.map((row) => ({
      label: Number(row.label),
      persistence: row.persistence === null ? null : Number(row.persistence),
      features: row.features as Uint8Array, // declared BLOB NOT NULL in a STRICT table
    }));
    return { lastId: Number(rows.at(-1)?.id ?? afterId), examples };
  }

  /** Features of the newest examples of any split, at most `limit`. Nobody writes to them. */
  newestFeatures(limit: number): readonly Uint8Array[] {
    if (this.#newest?.revision === this.#revision && this.#newest.limit === limit)
      return this.#newest.features;
    this.flush();
    const features = this.#database
      .all(`SELECT features FROM example ORDER BY id DESC LIMIT ?`, limit)
      .map((row) => row.features as Uint8Array); // declared BLOB NOT NULL in a STRICT table
    this.#newest = { revision: this.#revision, limit, features };
    return features;
  }

  /** Features of a split's newest examples on disk, at most `limit`. */
  newestOf(split: Split, limit: number): readonly Uint8Array[] {
    return newestOf(this.#database, split, limit);
  }

  /** The newest train rows on disk from an event time on, at most `limit`, in the order they were stored. */
  newestTrain(limit: number, sinceMs: number): readonly Pick<Example, "timeMs" | "features">[] {
    return this.#database
      .all(
        `SELECT time_ms, features FROM example WHERE split = 'train' AND time_ms >= ? ORDER BY id DESC LIMIT ?`,
        ...[sinceMs, limit],
      )
      .map(({ time_ms, features }) => ({
        timeMs: Number(time_ms),
        features: floatsOf(features as Uint8Array),
      })) // BLOB NOT NULL
      .reverse();
  }

  /** Brings everything to disk. */
  flush(): void {
    this.#batch.flush();
  }

  #claim(meaning: string): void {
    const stored = this.#database.get(`SELECT hash FROM example_meaning`)?.hash;
    this.#database.transaction(() => {
      const moved = this.#reservoir.claim();
      if (moved > 0) this.#counters.add("examples.removed-reservoir", moved);
      if (stored === meaning) return;
      const cleared = this.#reservoir.clear() + this.#database.run(`DELETE FROM example`);
      if (cleared > 0) this.#counters.add("examples.other-task", cleared);
      // Nothing of what has come is in the examples any more: all that is kept of it may come again.
      this.#database.run(`DELETE FROM written`);
      this.#database.run(`DELETE FROM history`);
      this.#database.run(`INSERT OR REPLACE INTO example_meaning VALUES (1, ?)`, meaning);
    });
  }

  #write(examples: readonly Example[]): () => void {
    this.#counts = undefined;
    const before = this.#countRows();
    let added = 0;
    let revised = 0;
    for (const example of examples) {
      if (example.revision === undefined) added += this.#insert(example);
      else revised += this.#revise(example);
    }
    const gone = examples.length - added - revised;
    this.#rows = before + added;
    const pruned = { ring: this.#removeSurplus(), age: this.#removeAged() };
    return () => {
      this.#room = 0;
      if (revised > 0) this.#counters.add("examples.revised", revised);
      if (gone > 0) this.#counters.add("examples.revised-gone", gone);
      if (pruned.ring > 0) this.#counters.add("examples.removed-ring", pruned.ring);
      if (pruned.age > 0) this.#counters.add("examples.removed-age", pruned.age);
    };
  }

  #insert({ split, entity, timeMs, label, persistence, features }: Example): number {
    return this.#database.run(
      `INSERT INTO example (split, entity, time_ms, label, persistence, features) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[split, entity, timeMs, label, persistence, bytesOf(features)],
    );
  }

  // A late reading has changed it: in its old place, if that has not gone to make room.
  #revise({ entity, timeMs, label, persistence, features }: Example): number {
    return this.#database.run(
      `UPDATE example SET label = ?, persistence = ?, features = ? WHERE time_ms = ? AND entity = ?`,
      ...[label, persistence, bytesOf(features), timeMs, entity],
    );
  }

  // What is deleted leaves holes that new rows do not quite fit, so twice as much goes with each failure.
  #makeRoomFor(examples: readonly Example[]): boolean {
    try {
      const rows = this.#countRows();
      if (rows === 0) return false;
      this.#room =
        this.#room === 0 ? Math.max(examples.length, Math.ceil(rows * ROOM_SHARE)) : 2 * this.#room;
      this.#counters.add("examples.removed-disk-full", this.#removeOldest(this.#room));
      return true;
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#rows = undefined;
      this.#drawn = undefined;
      return false;
    }
  }

  #drop(examples: readonly Example[]): void {
    this.#room = 0;
    this.#counters.add("examples.dropped-disk-full", examples.length);
  }

  #removeSurplus(): number {
    const surplus = this.#countRows() - this.#countDrawn() - this.#limits.rows;
    return surplus > 0 ? this.#removeOldest(surplus - this.#offerOldest(surplus)) : 0;
  }

  /** Offers the ring's oldest train rows to the reservoir; returns how many are the ring's no more. */
  #offerOldest(rows: number): number {
    if (!this.#reservoir.isOpen) return 0;
    const { placed, displaced } = this.#reservoir.offer(this.#oldestInRing(rows));
    this.#drawn = this.#countDrawn() + placed - displaced;
    this.#rows = this.#countRows() - displaced;
    if (displaced > 0) this.#counters.add("examples.removed-reservoir", displaced);
    return placed;
  }

  // Rows that were drawn are older than any in the ring.
  #oldestInRing(limit: number): readonly LeavingRow[] {
    return this.#database
      .all(
        `SELECT id, split, label FROM example
         WHERE id > (SELECT coalesce(max(id), 0) FROM example WHERE place IS NOT NULL) ORDER BY id LIMIT ?`,
        limit,
      )
      .filter(({ split }) => split === "train")
      .map((row) => ({ id: Number(row.id), label: Number(row.label) }));
  }

  #removeAged(): number {
    if (this.#limits.ageMs === undefined) return 0;
    const sql = `DELETE FROM example WHERE time_ms < (SELECT max(time_ms) FROM example) - ?`;
    const before = this.#countRows();
    const removed = this.#database.run(sql, this.#limits.ageMs);
    this.#rows = before - removed;
    if (removed > 0) this.#drawn = undefined;
    return removed;
  }

  // The ring's first: what was drawn stands for far more.
  #removeOldest(rows: number): number {
    const sql = `DELETE FROM example WHERE id IN (SELECT id FROM example WHERE place IS NULL ORDER BY id LIMIT ?)`;
    const before = this.#countRows();
    const isRingEmpty = before === this.#countDrawn();
    const removed = isRingEmpty && rows > 0 ? this.#reservoir.clear() : this.#database.run(sql, rows);
    if (isRingEmpty) this.#drawn = undefined;
    this.#rows = before - removed;
    return removed;
  }

  #countDrawn(): number {
    this.#drawn ??= this.#reservoir.isOpen ? this.#reservoir.count() : 0;
    return this.#drawn;
  }

  #countRows(): number {
    this.#rows ??= Number(this.#database.get(`SELECT count(*) AS rows FROM example`)?.rows);
    return this.#rows;
  }

  #count(): Record<Split, number> {
    const counts: Record<Split, number> = { train: 0, validation: 0, test: 0 };
    for (const row of this.#database.all(`SELECT split, count(*) AS rows FROM example GROUP BY split`)) {
      counts[row.split as Split] = Number(row.rows); // the column's CHECK allows nothing else
    }
    return counts;
  }
}

/** Features of a split's newest examples in the table `example`, at most `limit`. */
export function newestOf(database: Database, split: Split, limit: number): readonly Uint8Array[] {
  return database
    .all(`SELECT features FROM example WHERE split = ? ORDER BY id DESC LIMIT ?`, split, limit)
    .map((row) => row.features as Uint8Array); // declared BLOB NOT NULL in a STRICT table
}

/** Features as they lie in the table `example`: SQLite's bytes are not aligned for floats. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const features = new Float32Array(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(features.buffer).set(bytes);
  return features;
}

function bytesOf(features: Float32Array): Uint8Array {
  return new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
}
