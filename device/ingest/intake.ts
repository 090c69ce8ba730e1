// The way in for readings: call after call, in slices, so that a year of history holds up neither the network
// nor the next live value.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { Inbox } from "../../shared/inbox.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Arrival, Deployment } from "../deployment.js";

/** Readings taken between two turns of the event loop. */
const SLICE_READINGS = 1000;
/** Calls that wait for their turn; one more rejects: whoever brings readings is too fast. */
const CALLS_MAX = 1000;
/** How often event time is moved on without readings. */
const ADVANCE_MS = 5000;

/** What an intake stands on. */
export interface IntakeOptions {
  /** Ends with the device: its timers never fire afterwards. */
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly counters: Counters;
  /** The clock that event times are judged by; undefined: only data moves event time. */
  readonly eventNow: () => number | undefined;
  readonly deployment: () => Deployment | undefined;
  /** Readings have gone in. */
  readonly onTaken: () => void;
}

/** Brings readings to whatever is deployed when their turn comes. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #calls: Inbox<() => Promise<void>>;
  #isAdvancing = false;
  /** What comes is from the past: the clock must not overtake it. */
  #isHeld = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#calls = new Inbox({ handle: (call) => call(), limit: CALLS_MAX });
  }

  /** Resolves when the readings have gone through the pipeline. Without a task they are dropped and counted. */
  ingest(readings: readonly Reading[]): Promise<void> {
    return this.#calls.post(async () => {
      for (let start = 0; start < readings.length && !this.#options.signal.aborted; start += SLICE_READINGS) {
        if (start > 0) await this.#options.clock.turn();
        this.#take(readings.slice(start, start + SLICE_READINGS));
      }
      this.#options.onTaken();
    });
  }

  /** Brings one message to the pipeline at once. Only after the deployment has resumed. */
  receive(arrival: Arrival): void {
    const { deployment, onTaken } = this.#options;
    deployment()?.receive(arrival);
    this.#advanceLater();
    onTaken();
  }

  /** Until `release`, time passes only with messages. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#advanceLater();
  }

  /** No more readings will come: everything in the pipeline closes. */
  endOfData(): Promise<void> {
    return this.#calls.post(async () => {
      this.#options.deployment()?.endOfData();
      this.#options.onTaken();
    });
  }

  #take(readings: readonly Reading[]): void {
    const { deployment, counters, eventNow } = this.#options;
    const deployed = deployment();
    if (deployed === undefined) counters.add("readings.no-task", readings.length);
    else deployed.ingest(readings, eventNow());
    this.#advanceLater();
  }

  #advanceLater(): void {
    const { clock, eventNow, deployment } = this.#options;
    if (this.#isAdvancing || this.#isHeld || eventNow() === undefined) return;
    this.#isAdvancing = true;
    clock.after(ADVANCE_MS, () => {
      this.#isAdvancing = false;
      const nowMs = eventNow();
      if (nowMs !== undefined && !this.#isHeld) deployment()?.advance(nowMs);
      this.#advanceLater();
    });
  }
}
