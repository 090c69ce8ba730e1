// Events on their way to a decision. While some are being stored others arrive, and those are stored together: a disk
// that takes a millisecond for a transaction takes it once for all that wait.

import { HeadwaterError } from "../../shared/error.js";

/** How one event ended: undefined, or what went wrong. */
export type Outcome = unknown;

export interface EventQueueOptions<Item> {
  /** Handles what waits, in order; the outcome of each. Never rejects. */
  readonly handle: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  /** Most items that wait or are being handled. */
  readonly limit: number;
  /** Most items handled together. */
  readonly batch: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Strictly in order, one batch after the other. */
export class EventQueue<Item> {
  readonly #options: EventQueueOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #length = 0;
  #running: Promise<void> | undefined;

  constructor(options: EventQueueOptions<Item>) {
    this.#options = options;
  }

  /** Resolves when `item` has been handled; rejects with its outcome, or `aborted` when the queue is full. */
  post(item: Item): Promise<void> {
    const { limit } = this.#options;
    if (this.#length >= limit) {
      return Promise.reject(
        new HeadwaterError("aborted", `inbox full: ${this.#length} items, limit ${limit}`),
      );
    }
    this.#length++;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything posted so far has been handled. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is posted in this turn of the event loop's promises goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.batch);
      const outcomes = await this.#options.handle(batch.map(({ item }) => item));
      this.#length -= batch.length;
      for (const [at, { resolve, reject }] of batch.entries()) {
        if (outcomes[at] === undefined) resolve();
        else reject(outcomes[at]);
      }
    }
    this.#running = undefined;
  }
}
