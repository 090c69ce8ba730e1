// What a checker has found wrong: each thing once, with the time it happened.

/** Broken invariants, in order, bounded. */
export class Violations {
  readonly #found: string[] = [];
  readonly #max: number;

  constructor(max = 20) {
    this.#max = max;
  }

  get list(): readonly string[] {
    return this.#found;
  }

  /** Notes `message` unless `holds`. */
  expect(holds: boolean, message: () => string): void {
    if (holds || this.#found.length >= this.#max) return;
    const text = message();
    if (!this.#found.includes(text)) this.#found.push(text);
  }
}
