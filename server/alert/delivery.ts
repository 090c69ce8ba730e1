// Alerts on one way to people: one after another, each again and again until it is taken, refused or too old.

import { type Clock, sleep } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { RaisedAlert } from "./alert.js";

/** Alerts that wait; the oldest make room. */
const WAITING_MAX = 100;
/** One that could not be sent for this long is no news any more. */
const AGE_MAX_MS = 6 * 3_600_000;
/** For a way that heeds its signal; MQTT bounds the wait for its acknowledgement itself. */
const ATTEMPT_MS = 10_000;
const RETRY = { firstMs: 1_000, maxMs: 60_000, jitter: 0.5 } as const;

/** Refused: it would be refused again. */
export type Sent = { readonly ok: true } | { readonly ok: false; readonly refusal: string };

/** A way to people: a webhook, a topic. */
export interface AlertWay {
  readonly name: "webhook" | "mqtt";
  /** For the log: without secrets. */
  readonly place: string;
  /** Rejects when it may be tried again. */
  send(alert: RaisedAlert, signal: AbortSignal): Promise<Sent>;
  close(): Promise<void>;
}

export interface DeliveryOptions {
  readonly way: AlertWay;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Sends from its making until closed. What waits is lost with the process. */
export class Delivery {
  /** `sent`, `failed` (refused or too old), `dropped` (no room). */
  readonly counts = new Counters();
  readonly #options: DeliveryOptions;
  readonly #waiting: { readonly alert: RaisedAlert; readonly sinceMs: number }[] = [];
  readonly #end = new AbortController();
  readonly #retry: Retry;
  #isSending = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#retry = new Retry(RETRY, options.random);
    for (const outcome of ["sent", "failed", "dropped"]) this.counts.add(outcome, 0);
  }

  get name(): AlertWay["name"] {
    return this.#options.way.name;
  }

  /** Takes an alert; never waits. */
  post(alert: RaisedAlert): void {
    this.#waiting.push({ alert, sinceMs: this.#options.clock.elapsed() });
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift();
      this.counts.add("dropped");
    }
    if (!this.#isSending) void this.#sendAll();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#options.way.close();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#deliver(next.alert, next.sinceMs);
      if (this.#end.signal.aborted) return;
    }
    this.#isSending = false;
  }

  async #deliver(alert: RaisedAlert, sinceMs: number): Promise<void> {
    const { clock, logger, way } = this.#options;
    const log = logger.child({ kind: alert.kind, way: way.name, place: way.place });
    this.#retry.reset();
    for (let attempts = 1; !this.#end.signal.aborted; attempts++) {
      const sent = await this.#attempt(alert);
      if (this.#end.signal.aborted) return;
      if (sent.ok) {
        this.counts.add("sent");
        if (attempts > 1) log.info({ attempts }, "alert sent at last");
        return;
      }
      if (!sent.isWorthAnother || clock.elapsed() - sinceMs > AGE_MAX_MS) {
        this.counts.add("failed");
        log.warn({ attempts, reason: sent.reason }, "alert not sent: given up");
        return;
      }
      // Of a series the first says enough.
      if (attempts === 1) log.warn({ reason: sent.reason }, "alert not sent yet");
      await this.#wait(this.#retry.next());
    }
  }

  async #attempt(alert: RaisedAlert): Promise<Attempt> {
    const { clock, way } = this.#options;
    const timeout = new AbortController();
    const cancel = clock.after(ATTEMPT_MS, () =>
      timeout.abort(new HeadwaterError("transport-timeout", `no answer within ${ATTEMPT_MS} ms`)),
    );
    try {
      const sent = await way.send(alert, AbortSignal.any([timeout.signal, this.#end.signal]));
      return sent.ok ? sent : { ok: false, reason: sent.refusal, isWorthAnother: false };
    } catch (error) {
      return { ok: false, reason: messageOf(error), isWorthAnother: true };
    } finally {
      cancel();
    }
  }

  async #wait(delayMs: number): Promise<void> {
    try {
      await sleep(this.#options.clock, delayMs, this.#end.signal);
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    }
  }
}

type Attempt =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly isWorthAnother: boolean };
