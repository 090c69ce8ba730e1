// What is new in a list of keyed things since it was last looked at.

/** Remembers each item by its JSON text. */
export class Difference<Item> {
  readonly #keyOf: (item: Item) => string;
  #known = new Map<string, string>();

  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  /** Items that are new or not what they were, and the keys of those that are gone. */
  next(items: readonly Item[]): { readonly changed: readonly Item[]; readonly gone: readonly string[] } {
    const known = new Map(items.map((item) => [this.#keyOf(item), JSON.stringify(item)] as const));
    const changed = items.filter((item) => {
      const key = this.#keyOf(item);
      return this.#known.get(key) !== known.get(key);
    });
    const gone = [...this.#known.keys()].filter((key) => !known.has(key));
    this.#known = known;
    return { changed, gone };
  }
}
