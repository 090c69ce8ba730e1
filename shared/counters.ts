// Everything rejected, dropped, late or skipped is counted and explained: the explanation is the key.

/** Named counts, created on first use. Keys are short and bounded: a reason, never an id or a value. */
export class Counters {
  readonly #counts = new Map<string, number>();

  add(name: string, amount = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** All counts, keys sorted, so that equal counts print equal text. */
  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
