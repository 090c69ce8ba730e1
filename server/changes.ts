// Word that something has changed, for those who show it live. It says nothing of what: they look for themselves.

/** Listeners that are told. Telling never fails and costs nothing while nobody listens. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` after every change until the returned function is called. It must not throw. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  readonly tell = (): void => {
    for (const listener of this.#listeners) listener();
  };
}
