// What has been started, and how to stop it: the last first.

/** Steps that undo what was done, each at most once. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = [];
  #done: Promise<void> | undefined;

  /** `step` will be taken before all that were added earlier. */
  later(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Takes every step, even after one that failed; rejects with the first failure. Asked again, the same answer. */
  all(): Promise<void> {
    this.#done ??= this.#takeAll();
    return this.#done;
  }

  async #takeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
