// Writes reports to disk a second's worth at a time. A report sums up all that came before it, so what a crash takes with it
// is said again by the device's next one.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { ReceivedReport, ReportStore } from "./report-store.js";

/** Longest that a report waits for the disk. */
export const KEEP_WITHIN_MS = 1_000;

export interface ReportKeeperOptions {
  readonly store: ReportStore;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** What waits is at most one report of every device. */
export class ReportKeeper {
  readonly #options: ReportKeeperOptions;
  #waiting = new Map<DeviceId, ReceivedReport | undefined>();
  #cancel: Cancel | undefined;
  #isStopped = false;

  constructor(options: ReportKeeperOptions) {
    this.#options = options;
  }

  keep(device: DeviceId, received: ReceivedReport): void {
    this.#wait(device, received);
  }

  forget(device: DeviceId): void {
    this.#wait(device, undefined);
  }

  /** Writes nothing more: what waits is lost, as in a crash. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #wait(device: DeviceId, change: ReceivedReport | undefined): void {
    if (this.#isStopped) return;
    this.#waiting.set(device, change);
    this.#cancel ??= this.#options.clock.after(KEEP_WITHIN_MS, () => this.#write());
  }

  #write(): void {
    const { store, counters } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#cancel = undefined;
    try {
      store.write(waiting);
    } catch (error) {
      // A full disk costs what is known after a restart, no more.
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`reports.not-kept.${error.code}`, waiting.size);
    }
  }
}
