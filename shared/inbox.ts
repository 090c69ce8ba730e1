// Queues before the one who decides: items in order and never two at once, so no await can interleave two decisions.

import { HeadwaterError } from "./error.js";

export interface BatchInboxOptions<Item> {
  /** Handles what waits, in order: the outcome of each item. When it rejects, that is the outcome of all. */
  readonly handle: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<void>[]>;
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

/** Handles together what has come while it was busy, one batch after the other. */
export class BatchInbox<Item> {
  readonly #options: BatchInboxOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #length = 0;
  #running: Promise<void> | undefined;

  constructor(options: BatchInboxOptions<Item>) {
    this.#options = options;
  }

  get length(): number {
    return this.#length;
  }

  /** Resolves when `item` has been handled; rejects with what went wrong with it, or when the inbox is full. */
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
    // What is posted in one go is handled in one go.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.batch);
      await this.#handle(batch);
      this.#length -= batch.length;
    }
    this.#running = undefined;
  }

  async #handle(batch: readonly Waiting<Item>[]): Promise<void> {
    try {
      const outcomes = await this.#options.handle(batch.map(({ item }) => item));
      for (const [at, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[at]!;
        if (outcome.status === "fulfilled") resolve();
        else reject(outcome.reason);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

/** Handles posted items one after the other; holds at most `limit` unhandled ones. */
export class Inbox<Item> extends BatchInbox<Item> {
  constructor({
    handle,
    limit,
  }: {
    readonly handle: (item: Item) => Promise<void>;
    readonly limit: number;
  }) {
    super({ handle: (items) => Promise.allSettled(items.map((item) => handle(item))), limit, batch: 1 });
  }
}
