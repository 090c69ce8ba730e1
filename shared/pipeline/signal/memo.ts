// Tables and workspaces that many operators, and all entities, have in common.

/**
 * Values made once per key. Holds at most `limit`: beyond, the oldest is forgotten here, though those who have it keep
 * it.
 */
export class Memo<Value> {
  readonly #limit: number;
  readonly #values = new Map<string, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#values.set(key, made);
    if (this.#values.size > this.#limit) this.#forgetOldest();
    return made;
  }

  // A map keeps the order of insertion.
  #forgetOldest(): void {
    for (const key of this.#values.keys()) {
      this.#values.delete(key);
      return;
    }
  }
}
