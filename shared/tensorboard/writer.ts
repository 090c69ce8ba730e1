// An event file that TensorBoard reads while it grows. Nobody waits for its disk: what finds no room is left out and counted.

import { appendFile, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { HeadwaterError, messageOf } from "../error.js";
import type { Logger } from "../log.js";
import { scalarRecord, versionRecord } from "./event.js";

/** Bytes that wait for the disk. */
const WAITING_MAX = 1 << 20;

export interface EventWriterOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Records left out, as `tensorboard.overflow` and `tensorboard.not-written`. */
  readonly counters: Counters;
}

/** One file per process that writes: TensorBoard shows the files of a folder as one run. */
export class EventWriter {
  readonly path: string;
  readonly #options: EventWriterOptions;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  private constructor(options: EventWriterOptions) {
    const { folder, clock } = options;
    const seconds = Math.floor(clock.now() / 1000);
    this.#options = options;
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`);
    this.#post(versionRecord(clock.now() / 1000));
  }

  /** Makes the folder; rejects with `storage-failed` when that cannot be. */
  static async open(options: EventWriterOptions): Promise<EventWriter> {
    const { folder } = options;
    try {
      await mkdir(folder, { recursive: true });
    } catch (cause) {
      const message = `cannot write event files into ${folder}: ${messageOf(cause)}`;
      throw new HeadwaterError("storage-failed", message, { cause });
    }
    return new EventWriter(options);
  }

  /** Takes the scalars of a step; what is not finite is left out. Never waits. */
  add(step: number, scalars: Readonly<Record<string, number | undefined>>): void {
    const finite = Object.entries(scalars).filter(
      (entry): entry is [string, number] => entry[1] !== undefined && Number.isFinite(entry[1]),
    );
    if (finite.length === 0) return;
    const wallSeconds = this.#options.clock.now() / 1000;
    this.#post(scalarRecord({ wallSeconds, step, scalars: Object.fromEntries(finite) }));
  }

  /** Resolves when everything taken is in the file, or counted as left out. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #post(record: Uint8Array): void {
    if (this.#waitingBytes + record.length > WAITING_MAX) {
      this.#options.counters.add("tensorboard.overflow");
      return;
    }
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const records = this.#waiting.splice(0);
      this.#waitingBytes = 0;
      try {
        await appendFile(this.path, Buffer.concat(records));
      } catch (error) {
        this.#fail(records.length, error);
      }
    }
    this.#writing = undefined;
  }

  #fail(records: number, error: unknown): void {
    const { counters, logger } = this.#options;
    counters.add("tensorboard.not-written", records);
    // Once: a full disk stays full for a while.
    if (!this.#hasFailed) logger.warn({ path: this.path, error: messageOf(error) }, "event file not written");
    this.#hasFailed = true;
  }
}
