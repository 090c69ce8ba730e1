// Telemetry goes to disk in batches, because SQLite writes whole pages: a transaction per row costs the SD card many
// times what one per second, or five hundred rows, does (`npm run bench:device`).

import type { Cancel, Clock } from "../shared/clock.js";

const BATCH_ROWS = 500;
const BATCH_MS = 1000;

/** Collects rows and hands them on five hundred at a time, or after a second. Holds no more than that. */
export class BatchedWrites<Item> {
  readonly #clock: Clock;
  readonly #write: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #cancel: Cancel | undefined;

  constructor(clock: Clock, write: (items: readonly Item[]) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** What has not been written yet. */
  get waiting(): readonly Item[] {
    return this.#items;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= BATCH_ROWS) this.flush();
    else this.#cancel ??= this.#clock.after(BATCH_MS, () => this.flush());
  }

  /** Writes what is waiting: whoever reads calls this first. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#write(items);
  }
}
