// A device that dies and is started again, over one disk. Messages that no process has acknowledged come again, as from a broker.

import fc from "fast-check";
import type { Reading } from "../../shared/pipeline/types.js";
import { type DurableProcess, type Fuse, Killed, startProcess } from "./durable-device.js";

/** How a process ends: at once, in order, or within one of its next transactions. */
export type End = { readonly kind: "kill" | "stop" } | ({ readonly kind: "fuse" } & Readonly<Fuse>);

/** Half of them within a transaction. */
export const end: fc.Arbitrary<End> = fc.oneof(
  fc.record({ kind: fc.constantFrom("kill" as const, "stop" as const) }),
  fc.record({
    kind: fc.constant("fuse" as const),
    left: fc.integer({ min: 0, max: 6 }),
    isDone: fc.boolean(),
  }),
);

type Options = Omit<Parameters<typeof startProcess>[0], "fuse"> & {
  /** A new process is ready for messages when this holds too. */
  readonly isReady?: (process: DurableProcess) => boolean;
};

/** The processes of one device, one after the other. */
export class MortalDevice {
  readonly #options: Options;
  readonly #unacknowledged = new Set<Reading>();
  #fuse: Fuse = { left: -1, isDone: false };
  #process: DurableProcess;

  private constructor(options: Options, process: DurableProcess, fuse: Fuse) {
    this.#options = options;
    this.#process = process;
    this.#fuse = fuse;
  }

  static async start(options: Options): Promise<MortalDevice> {
    const { process, fuse } = await startReady(options);
    return new MortalDevice(options, process, fuse);
  }

  /** The process that lives. */
  get process(): DurableProcess {
    return this.#process;
  }

  send(reading: Reading): void {
    this.#unacknowledged.add(reading);
    const payload = Buffer.from(JSON.stringify(reading));
    const { recorder } = this.#process;
    const { source } = reading;
    void recorder.take({ source, topic: "t", payload, arrivalMs: this.#options.clock.now() }).then(() => {
      if (recorder === this.#process.recorder) this.#unacknowledged.delete(reading);
    });
  }

  /** Does what the process may die of, and starts the next one if it did. */
  async survive(action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      await this.restart();
    }
  }

  async meet(next: End): Promise<void> {
    if (next.kind === "fuse") {
      Object.assign(this.#fuse, next);
      return;
    }
    if (next.kind === "stop") await this.#options.clock.settle(this.#process.stop());
    await this.restart();
  }

  /** The process dies, if it has not yet; the next one catches up. */
  async restart(): Promise<void> {
    this.#process.kill();
    ({ process: this.#process, fuse: this.#fuse } = await startReady(this.#options));
    for (const reading of [...this.#unacknowledged]) this.send(reading);
  }

  /** Lives on to the end of the data, with all that was sent. */
  async endOfData(): Promise<void> {
    this.#fuse.left = -1;
    await this.restart();
    await this.#process.agent.endOfData();
  }
}

async function startReady(options: Options) {
  const fuse: Fuse = { left: -1, isDone: false };
  const process = await startProcess({ ...options, fuse });
  await options.clock.until(() => process.caughtUp() && (options.isReady?.(process) ?? true));
  return { process, fuse };
}
