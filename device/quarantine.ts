// What the pipeline did not believe, kept for a person to look at: a bounded ring with the messages themselves, or
// their beginnings.

import type { Counters } from "../shared/counters.js";
import type { QuarantineItem } from "../shared/pipeline/types.js";
import type { Database } from "../shared/storage/port.js";
import { BatchedWrites, type WriteBatch } from "./batched-writes.js";

/** Items kept; the oldest go first. */
const KEPT_MAX = 5_000;
/** Of each message. */
const RAW_BYTES_MAX = 1024;

/** The table `quarantine` of `telemetry.db`: at most some 8 MB. */
export class QuarantineStore {
  readonly #database: Database;
  readonly #writes: BatchedWrites<QuarantineItem>;

  constructor(options: {
    readonly database: Database;
    /** Of the same database. */
    readonly batch: WriteBatch;
    readonly counters: Counters;
  }) {
    this.#database = options.database;
    this.#writes = new BatchedWrites(options.batch, {
      write: (items) => this.#write(items),
      failed: () => undefined,
      makeRoom: () => false,
      drop: (items) => options.counters.add("quarantine.dropped-disk-full", items.length),
    });
  }

  /** Takes an item; of its message only the beginning is kept. */
  add(item: QuarantineItem): void {
    // A copy: the rest of a large message would otherwise stay in memory with it.
    this.#writes.add({ ...item, raw: item.raw?.slice(0, RAW_BYTES_MAX) });
  }

  #write(items: readonly QuarantineItem[]): () => void {
    this.#database.run(
      `DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?`,
      KEPT_MAX - items.length,
    );
    for (const { source, entity, timeMs, reason, field, value, raw } of items) {
      this.#database.run(
        `INSERT INTO quarantine (source, entity, time_ms, reason, field, value, raw) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ...[
          source,
          entity,
          Number.isFinite(timeMs) ? Math.trunc(timeMs) : 0,
          reason,
          field ?? null,
          value,
          raw ?? null,
        ],
      );
    }
    return () => undefined;
  }
}
