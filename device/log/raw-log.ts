// The raw log: every message as it came, on disk before its sender is told so. What was in memory when the process was
// killed is made anew from it, and it is the device's long-term store (`headwater data`).
//
// Messages go to disk together: after 100 ms, at 64 KiB, or as soon as several wait and no more come (a sender whose
// window of unacknowledged messages is full waits for us; Mosquitto's holds 20). Each batch is one SQLite transaction of
// a page or two.

import { assert } from "../../shared/assert.js";
import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { Database, Migrations, Row } from "../../shared/storage/port.js";
import type { SourceMessage } from "../ingest/sources/port.js";

/** Longest wait for company. */
const BATCH_MS = 100;
const BATCH_BYTES = 64 * 1024;
/** How often it is looked whether more have come. */
const LOOK_MS = 10;
/** Fewer than these wait for the full time: a slow stream is no full window. */
const WINDOW_MESSAGES = 8;
/** What else a message takes on disk: its number, its time, lengths, its place in a page. */
const ROW_OVERHEAD_BYTES = 32;
/** Messages between two looks at what has become too old. */
const PRUNE_MESSAGES = 1000;
/** On a full disk the oldest make room: this share of all, more with each failure. */
const ROOM_SHARES = [0.1, 0.2, 0.4, 1];

/** Schema of `log.db`. */
export const logMigrations: Migrations = [
  `CREATE TABLE message (
     seq INTEGER PRIMARY KEY,
     source TEXT NOT NULL,
     topic TEXT NOT NULL,
     arrival_ms INTEGER NOT NULL,
     retained INTEGER NOT NULL,
     position INTEGER,
     payload BLOB NOT NULL
   ) STRICT;
   CREATE TABLE position (
     source TEXT PRIMARY KEY,
     position INTEGER NOT NULL
   ) STRICT;`,
];

/** A message and its number: 1, 2, 3, with gaps where there was no room for some. */
export interface LoggedMessage extends SourceMessage {
  readonly seq: number;
}

/** A message on its way to disk. */
export interface Appended {
  readonly seq: number;
  /** Resolves when the message is in the log, or when it is known that there is no room for it. Never rejects. */
  readonly safe: Promise<void>;
}

export interface RawLogOptions {
  /** Opened with `logMigrations`; its `maxPages` bound the log. */
  readonly database: Database;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Messages that came longer ago go, once they are no longer needed. */
  readonly keepMs: number;
}

/** Messages by number. */
export class RawLog {
  readonly #options: RawLogOptions;
  #waiting: LoggedMessage[] = [];
  #waitingBytes = 0;
  #since: { readonly ms: number; readonly cancel: Cancel } | undefined;
  #safe = createPromise();
  #lastSeq: number;
  /** Up to here nobody needs them any more but as history. */
  #releasedSeq = 0;
  #sincePruned = 0;
  #fault: HeadwaterError | undefined;
  #hasComplained = false;

  constructor(options: RawLogOptions) {
    this.#options = options;
    this.#lastSeq = Number(options.database.get(`SELECT max(seq) AS seq FROM message`)?.seq ?? 0);
  }

  /** Number of the newest message; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Takes a message to be written soon. */
  append(message: SourceMessage): Appended {
    this.#lastSeq++;
    const logged = { ...message, seq: this.#lastSeq };
    const { safe } = this.#safe;
    this.#waiting.push(logged);
    this.#waitingBytes += bytesOf(message);
    if (this.#waitingBytes >= BATCH_BYTES) this.flush();
    else this.#since ??= this.#startWaiting();
    return { seq: logged.seq, safe };
  }

  /** Writes what waits. */
  flush(): void {
    this.#since?.cancel();
    this.#since = undefined;
    if (this.#waiting.length === 0) return;
    const [messages, { resolve }] = [this.#waiting, this.#safe];
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#safe = createPromise();
    if (!this.#attempt(() => this.#insert(messages)) && !this.#insertInRoomMade(messages))
      this.#goWithout(messages);
    this.#pruneAged(messages.length);
    resolve();
  }

  /** At most `limit` messages after number `afterSeq`, in order. */
  read(afterSeq: number, limit: number): readonly LoggedMessage[] {
    this.flush();
    return this.#options.database
      .all(`SELECT * FROM message WHERE seq > ? ORDER BY seq LIMIT ?`, afterSeq, limit)
      .map(messageOfRow);
  }

  /** Where a source that is read on from a position was; undefined for one that never had any. */
  position(source: string): number | undefined {
    this.flush();
    const row = this.#options.database.get(`SELECT position FROM position WHERE source = ?`, source);
    return row && Number(row.position);
  }

  /** Numbers up to `seq` have been given, though the log may have lost them in a power cut: they are not given again. */
  skipTo(seq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  /** What came of messages up to `seq` is on disk: from here on age may take them. */
  release(seq: number): void {
    this.#releasedSeq = Math.max(this.#releasedSeq, seq);
  }

  #startWaiting() {
    const { clock } = this.#options;
    return { ms: clock.elapsed(), cancel: clock.after(LOOK_MS, () => this.#look(this.#waiting.length)) };
  }

  #look(before: number): void {
    const { clock } = this.#options;
    const { length } = this.#waiting;
    const isStalled = length === before && length >= WINDOW_MESSAGES;
    const ms = this.#since?.ms ?? clock.elapsed();
    if (isStalled || clock.elapsed() - ms >= BATCH_MS) this.flush();
    else this.#since = { ms, cancel: clock.after(LOOK_MS, () => this.#look(length)) };
  }

  #insert(messages: readonly LoggedMessage[]): void {
    const { database } = this.#options;
    database.transaction(() => {
      for (const { seq, source, topic, arrivalMs, retained = false, position = null, payload } of messages) {
        database.run(
          `INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)`,
          ...[seq, source, topic, arrivalMs, Number(retained), position, payload],
        );
        if (position !== null)
          database.run(`INSERT OR REPLACE INTO position VALUES (?, ?)`, source, position);
      }
    });
  }

  #insertInRoomMade(messages: readonly LoggedMessage[]): boolean {
    return ROOM_SHARES.some(
      (share) =>
        this.#attempt(() => this.#removeOldest(share)) && this.#attempt(() => this.#insert(messages)),
    );
  }

  #removeOldest(share: number): void {
    const { database, counters } = this.#options;
    const { first, last } = this.#range();
    const untilSeq = first + Math.ceil((last - first + 1) * share) - 1;
    const removed = database.run(`DELETE FROM message WHERE seq <= ?`, untilSeq);
    if (removed > 0) counters.add("log.removed-size", removed);
    // After a kill these would have been replayed.
    if (untilSeq > this.#releasedSeq) counters.add("log.removed-unsaved");
  }

  // The log is there to lose nothing in a crash; without it there still is something to lose.
  #goWithout(messages: readonly LoggedMessage[]): void {
    const { counters, logger } = this.#options;
    counters.add("log.unlogged", messages.length);
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    const why = { error: this.#fault && messageOf(this.#fault) };
    logger.error(why, "messages are taken in without the raw log: a kill would lose what came of them last");
  }

  #attempt(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#fault = error;
      return false;
    }
  }

  // By the number, so that a clock that was set right in between takes nothing too early; twice what has come, so that
  // it keeps up.
  #pruneAged(written: number): void {
    this.#sincePruned += written;
    if (this.#sincePruned < PRUNE_MESSAGES) return;
    const limit = 2 * this.#sincePruned;
    this.#sincePruned = 0;
    const { database, clock, keepMs, counters } = this.#options;
    this.#attempt(() => {
      const { first } = this.#range();
      const removed = database.run(
        `DELETE FROM message WHERE seq < ? AND seq <= ? AND arrival_ms < ?`,
        ...[first + limit, this.#releasedSeq, clock.now() - keepMs],
      );
      if (removed > 0) counters.add("log.removed-age", removed);
    });
  }

  #range(): { readonly first: number; readonly last: number } {
    const first = this.#options.database.get(`SELECT min(seq) AS seq FROM message`)?.seq;
    const last = this.#options.database.get(`SELECT max(seq) AS seq FROM message`)?.seq;
    return { first: Number(first ?? 0), last: Number(last ?? 0) };
  }
}

/** A row of the table `message`. */
export function messageOfRow(row: Row): LoggedMessage {
  const { payload, position } = row;
  assert(payload instanceof Uint8Array, "declared BLOB NOT NULL in a STRICT table");
  return {
    seq: Number(row.seq),
    source: String(row.source),
    topic: String(row.topic),
    arrivalMs: Number(row.arrival_ms),
    retained: row.retained === 1,
    ...(position === null ? {} : { position: Number(position) }),
    payload,
  };
}

/** What a message takes of a batch, about. */
export function bytesOf({ topic, payload }: SourceMessage): number {
  return payload.length + topic.length + ROW_OVERHEAD_BYTES;
}

function createPromise() {
  let resolve: () => void = () => undefined;
  const safe = new Promise<void>((done) => {
    resolve = done;
  });
  return { safe, resolve };
}
