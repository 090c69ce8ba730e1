// Rejections that nobody handles: in a simulation they are a mistake of some party, and end the run that is under way.

/** Takes the process's unhandled rejections upon itself until released. Runs of one thread take turns. */
export class RejectionTrap {
  readonly #others = process.listeners("unhandledRejection");
  readonly #onRejection: (error: unknown) => void;

  constructor(onRejection: (error: unknown) => void) {
    this.#onRejection = onRejection;
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", this.#onRejection);
  }

  /** Gives them back to whoever took them before. */
  release(): void {
    process.off("unhandledRejection", this.#onRejection);
    for (const listener of this.#others) process.on("unhandledRejection", listener);
  }
}
