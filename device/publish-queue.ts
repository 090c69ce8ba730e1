// Messages that wait for a broker: so many at most, and so many of them on their way at once.

import type { Cancel, Clock } from "../shared/clock.js";

/** What became of a message: `again` when it got lost and is still worth sending. */
export type Sent = "done" | "again";

export interface PublishQueueOptions<Item> {
  readonly clock: Clock;
  /** The oldest make room. */
  readonly waitingMax: number;
  readonly inFlightMax: number;
  /** Most messages a minute, a minute's worth at once; undefined: as many as come. */
  readonly perMinute?: number;
  readonly isConnected: () => boolean;
  /** Never rejects. */
  readonly send: (item: Item) => Promise<Sent>;
  /** An item was not sent: the queue was full, or a newer one with its key took its place. */
  readonly onDropped: (reason: "overflow" | "superseded") => void;
}

const MINUTE_MS = 60_000;
/** After a loss on a connection that is still there. */
const AGAIN_MS = 5_000;

/** Sends in the order of `post`, while connected. */
export class PublishQueue<Item> {
  readonly #options: PublishQueueOptions<Item>;
  readonly #waiting = new Map<unknown, Item>();
  #inFlight = 0;
  readonly #allowance: Allowance;
  #cancel: Cancel | undefined;
  #isClosed = false;

  constructor(options: PublishQueueOptions<Item>) {
    this.#options = options;
    this.#allowance = new Allowance(options.clock, options.perMinute ?? Number.POSITIVE_INFINITY);
  }

  /** Takes an item; one that waits under the same key is superseded. By itself every item is its own key. */
  post(item: Item, key: unknown = item): void {
    if (this.#waiting.delete(key)) this.#options.onDropped("superseded");
    this.#waiting.set(key, item);
    if (this.#waiting.size > this.#options.waitingMax) this.#dropOldest();
    this.pump();
  }

  /** An item waits under this key. */
  has(key: unknown): boolean {
    return this.#waiting.has(key);
  }

  /** Sends what may be sent: call it whenever the connection is back. */
  pump(): void {
    const { isConnected, inFlightMax } = this.#options;
    while (!this.#isClosed && this.#cancel === undefined && isConnected() && this.#inFlight < inFlightMax) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const waitMs = this.#allowance.take();
      if (waitMs > 0) {
        this.#pumpAfter(waitMs);
        return;
      }
      this.#waiting.delete(next[0]);
      void this.#send(...next);
    }
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #send(key: unknown, item: Item): Promise<void> {
    this.#inFlight++;
    const sent = await this.#options.send(item);
    this.#inFlight--;
    if (sent === "again") this.#takeBack(key, item);
    else this.pump();
  }

  #takeBack(key: unknown, item: Item): void {
    if (this.#waiting.has(key)) this.#options.onDropped("superseded");
    else this.#waiting.set(key, item);
    if (this.#waiting.size > this.#options.waitingMax) this.#dropOldest();
    // Without a connection the next one pumps.
    if (!this.#isClosed && this.#options.isConnected()) this.#pumpAfter(AGAIN_MS);
  }

  #pumpAfter(delayMs: number): void {
    this.#cancel ??= this.#options.clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.pump();
    });
  }

  #dropOldest(): void {
    for (const key of this.#waiting.keys()) {
      this.#waiting.delete(key);
      this.#options.onDropped("overflow");
      return;
    }
  }
}

/** A token bucket that holds a minute's worth. */
class Allowance {
  readonly #clock: Clock;
  readonly #perMinute: number;
  #tokens: number;
  #filledMs: number;

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
    this.#filledMs = clock.now();
  }

  /** Takes one and returns 0, or says how long to wait for it. */
  take(): number {
    if (!Number.isFinite(this.#perMinute)) return 0;
    const nowMs = this.#clock.now();
    // A clock that was set back gives nothing, one that was set forward no more than a minute's worth.
    const gained = (Math.max(0, nowMs - this.#filledMs) / MINUTE_MS) * this.#perMinute;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + gained);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perMinute) * MINUTE_MS);
    this.#tokens -= 1;
    return 0;
  }
}
