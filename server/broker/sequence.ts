// Keeps the order of what belongs together, and lets all else run side by side.

/** One action at a time per key, in the order of `run`. Remembers a key only while it has actions. */
export class Sequence<Key> {
  readonly #tails = new Map<Key, Promise<void>>();

  /** Runs `action` after all earlier ones of `key`, whatever became of them; settles as it does. */
  run(key: Key, action: () => Promise<void>): Promise<void> {
    const ran = (this.#tails.get(key) ?? Promise.resolve()).then(action);
    const tail = ran
      .catch(() => undefined)
      .then(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
      });
    this.#tails.set(key, tail);
    return ran;
  }
}
