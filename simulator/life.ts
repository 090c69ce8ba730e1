// One run of a simulated process, from its start until it is killed: by decision, or in the middle of what it does,
// just before or just after one of its writes to disk.

/** Where in its work a process dies. */
export interface CrashPoint {
  /** At the n-th write from now: a statement of its own, or a whole transaction. */
  readonly write: number;
  /** `after`: the write is on disk, and nothing that should have followed has happened. */
  readonly when: "before" | "after";
}

/** A process's life. Whatever belongs to it asks here before it does anything. */
export class Life {
  readonly #onEnd: (() => void)[] = [];
  #isOver = false;
  #point: CrashPoint | undefined;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Called once, when the process is killed. */
  onEnd(action: () => void): void {
    this.#onEnd.push(action);
  }

  /** Kills the process. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const action of this.#onEnd) action();
  }

  /** The process will die at `point`, if it gets that far. */
  dieAt(point: CrashPoint): void {
    this.#point = point;
  }

  /** Reads from disk, while there is a process to read. */
  read<Result>(action: () => Result): Result {
    if (this.#isOver) throw new ProcessGone();
    return action();
  }

  /** Writes to disk, unless the process dies of it. */
  write<Result>(action: () => Result): Result {
    if (this.#isOver) throw new ProcessGone();
    const dies = this.#countDown();
    if (dies === "before") this.#die();
    const result = action();
    if (dies === "after") this.#die();
    return result;
  }

  /** Calls one of the process's handlers, while there is one. What it throws as it dies is nobody's. */
  call(handler: () => void): void {
    if (this.#isOver) return;
    try {
      handler();
    } catch (error) {
      if (!(error instanceof ProcessGone)) throw error;
    }
  }

  /** The promise as the process sees it: one that is dead never hears the end of it. */
  hear<Result>(promise: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      promise.then(
        (result) => (this.#isOver ? undefined : resolve(result)),
        (error: unknown) => (this.#isOver ? undefined : reject(error)),
      );
    });
  }

  #countDown(): CrashPoint["when"] | undefined {
    if (this.#point === undefined) return undefined;
    const { write, when } = this.#point;
    this.#point = write > 1 ? { write: write - 1, when } : undefined;
    return write > 1 ? undefined : when;
  }

  #die(): never {
    this.end();
    throw new ProcessGone();
  }
}

/** Thrown at a process that has been killed and does not know it yet. Nobody need handle it. */
export class ProcessGone extends Error {
  constructor() {
    super("this simulated process has been killed");
    this.name = "ProcessGone";
  }
}
