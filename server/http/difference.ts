// What is new in a list of keyed things since it was last looked at.

/** Remembers each item and its JSON text; one that is the same object has not changed. */
export class Difference<Item> {
  readonly #keyOf: (item: Item) => string;
  readonly #known = new Map<string, { readonly item: Item; readonly text: string }>();

  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  /** Items that are new or not what they were, and the keys of those that are gone. */
  next(items: readonly Item[]): { readonly changed: readonly Item[]; readonly gone: readonly string[] } {
    const changed = items.filter((item) => this.#isNew(item));
    return { changed, gone: this.#known.size === items.length ? [] : this.#forgetAllBut(items) };
  }

  #isNew(item: Item): boolean {
    const key = this.#keyOf(item);
    const before = this.#known.get(key);
    if (before?.item === item) return false;
    const text = JSON.stringify(item);
    this.#known.set(key, { item, text });
    return before?.text !== text;
  }

  #forgetAllBut(items: readonly Item[]): readonly string[] {
    const left = new Set(items.map((item) => this.#keyOf(item)));
    const gone = [...this.#known.keys()].filter((key) => !left.has(key));
    for (const key of gone) this.#known.delete(key);
    return gone;
  }
}
