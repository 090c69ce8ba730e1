// First in, first out, without moving what is in between.

/** A growing ring: `push` and `shift` in O(1) amortised. Its user bounds it. */
export class Queue<Item> {
  #items: (Item | undefined)[] = new Array(8).fill(undefined);
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  peek(): Item | undefined {
    return this.#size === 0 ? undefined : this.#items[this.#first];
  }

  /** The item behind so many others; undefined when there is none. */
  at(place: number): Item | undefined {
    return place < this.#size ? this.#items[(this.#first + place) & (this.#items.length - 1)] : undefined;
  }

  push(item: Item): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#first + this.#size) & (this.#items.length - 1)] = item;
    this.#size += 1;
  }

  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.#size -= 1;
    return item;
  }

  /** What waits, oldest first. */
  toArray(): Item[] {
    const end = this.#first + this.#size;
    const ring = [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)];
    // Between `first` and `end` every place holds an item.
    return ring.slice(0, end - this.#first) as Item[];
  }

  clear(): void {
    this.#items.fill(undefined);
    this.#first = 0;
    this.#size = 0;
  }

  #grow(): void {
    const items = [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)];
    this.#items = items.concat(new Array(items.length).fill(undefined));
    this.#first = 0;
  }
}
