// Telemetry goes to disk in batches, because SQLite writes whole pages: a transaction per row costs the SD card many
// times what one per second, or five hundred rows, does (`npm run bench:device`). All stores of `telemetry.db` write in
// one transaction, between two messages, so that what is on disk is what came of whole messages and of no others.

import type { Cancel, Clock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import type { Database } from "../shared/storage/port.js";

const BATCH_ROWS = 500;
const BATCH_MS = 1000;

/** What is written beside the rows, in their transaction: how far the readings behind them had come. */
export interface Stamp {
  /** Something of its own is to be written, though there may be no rows. */
  readonly isDue: boolean;
  /** Outside of the transaction, before it: what the rows stand on goes to disk first. */
  prepare(): void;
  /** In the transaction. Returns what to do when it is committed. */
  write(): () => void;
  /** The transaction has failed: rows count for more than what else was to be written with them. */
  failed(): void;
}

/** How the rows of one store get to disk. */
export interface BatchedRows<Item> {
  /** Writes them, in the transaction that is open. Returns what to do when it is committed. */
  write(items: readonly Item[]): () => void;
  /** The transaction has failed, and with it all that was written or deleted in it. */
  failed(): void;
  /** The disk is full: deletes older rows, more with each failure in a row; false when there is nothing left to delete. */
  makeRoom(items: readonly Item[]): boolean;
  /** There is no room for them: they are counted and gone. */
  drop(items: readonly Item[]): void;
}

/** A store's part in a batch: `BatchedRows` over what waits in it. */
interface Member {
  readonly hasRows: boolean;
  write(): () => void;
  failed(): void;
  makeRoom(): boolean;
  drop(): void;
  /** They are on disk. */
  forget(): void;
}

/** Writes what the stores of one database have collected: at five hundred rows of one of them, or after a second. */
export class WriteBatch {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #members: Member[] = [];
  #stamp: Stamp | undefined;
  #cancel: Cancel | undefined;
  #isHeld = false;
  #isDue = false;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  join(member: Member): void {
    this.#members.push(member);
  }

  /** From now on every write carries this stamp. */
  stampWith(stamp: Stamp): void {
    this.#stamp = stamp;
  }

  /** Rows are waiting; `isFull`: enough of them to be written at once. */
  changed(isFull: boolean): void {
    if (isFull) this.flush();
    else this.#cancel ??= this.#clock.after(BATCH_MS, () => this.flush());
  }

  /** Whatever comes of `body` is written together: until it ends, nothing goes to disk. */
  together(body: () => void): void {
    this.#isHeld = true;
    try {
      body();
    } finally {
      this.#isHeld = false;
    }
    if (this.#isDue) this.flush();
  }

  /** Writes what is waiting: whoever reads calls this first. Within `together`, at its end. */
  flush(): void {
    if (this.#isHeld) {
      this.#isDue = true;
      return;
    }
    this.#isDue = false;
    this.#cancel?.();
    this.#cancel = undefined;
    if (!this.#members.some(({ hasRows }) => hasRows) && this.#stamp?.isDue !== true) return;
    this.#stamp?.prepare();
    if (!this.#write() && !this.#writeInRoomMade()) {
      for (const member of this.#members) member.drop();
      // Without the rows there may be room to say that they have been dealt with.
      this.#write();
    }
    for (const member of this.#members) member.forget();
  }

  #writeInRoomMade(): boolean {
    // Once without making any: the stamp may have given up on what did not fit.
    do if (this.#write()) return true;
    while (this.#makeRoom());
    return false;
  }

  #makeRoom(): boolean {
    return this.#members.some((member) => member.hasRows && member.makeRoom());
  }

  #write(): boolean {
    try {
      const committed = this.#database.transaction(() => {
        const actions = this.#members.filter(({ hasRows }) => hasRows).map((member) => member.write());
        return this.#stamp === undefined ? actions : [...actions, this.#stamp.write()];
      });
      for (const action of committed) action();
      return true;
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      for (const member of this.#members) member.failed();
      this.#stamp?.failed();
      return false;
    }
  }
}

/** The rows of one store that wait for the batch they belong to. */
export class BatchedWrites<Item> implements Member {
  readonly #batch: WriteBatch;
  readonly #rows: BatchedRows<Item>;
  #items: Item[] = [];

  constructor(batch: WriteBatch, rows: BatchedRows<Item>) {
    this.#batch = batch;
    this.#rows = rows;
    batch.join(this);
  }

  /** What has not been written yet. */
  get waiting(): readonly Item[] {
    return this.#items;
  }

  get hasRows(): boolean {
    return this.#items.length > 0;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#batch.changed(this.#items.length >= BATCH_ROWS);
  }

  write(): () => void {
    return this.#rows.write(this.#items);
  }

  failed(): void {
    this.#rows.failed();
  }

  makeRoom(): boolean {
    return this.#rows.makeRoom(this.#items);
  }

  drop(): void {
    if (this.#items.length > 0) this.#rows.drop(this.#items);
    this.forget();
  }

  forget(): void {
    if (this.#items.length > 0) this.#items = [];
  }
}
