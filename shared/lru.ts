// A map that forgets: what was not used for longest goes when there is no room.

/** At most `limit` entries. */
export class Lru<Key, Value> {
  readonly #limit: number;
  // A Map keeps the order of insertion: the first entry is the one used longest ago.
  readonly #entries = new Map<Key, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, which counts as used now. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Those used longest ago first: set in this order, another one forgets as this one would. */
  entries(): Iterable<readonly [Key, Value]> {
    return this.#entries.entries();
  }
}
