// One event at a time: the inbox is a queue, so no await can interleave two decisions.

import { HeadwaterError } from "./error.js";

/** Handles posted items strictly in order, one after the other; holds at most `limit` unhandled ones. */
export class Inbox<Item> {
  readonly #handle: (item: Item) => Promise<void>;
  readonly #limit: number;
  #tail: Promise<void> = Promise.resolve();
  #length = 0;

  constructor(options: { readonly handle: (item: Item) => Promise<void>; readonly limit: number }) {
    this.#handle = options.handle;
    this.#limit = options.limit;
  }

  get length(): number {
    return this.#length;
  }

  /** Resolves when `item` has been handled; rejects with what its handler threw, or when the inbox is full. */
  post(item: Item): Promise<void> {
    if (this.#length >= this.#limit) {
      return Promise.reject(
        new HeadwaterError("aborted", `inbox full: ${this.#length} items, limit ${this.#limit}`),
      );
    }
    this.#length++;
    const handled = this.#tail.then(() => this.#handle(item));
    this.#tail = handled
      .catch(() => undefined)
      .then(() => {
        this.#length--;
      });
    return handled;
  }

  /** Resolves when everything posted so far has been handled. */
  drained(): Promise<void> {
    return this.#tail;
  }
}
