// What a session says about its connection: each reason once while the trouble lasts, then at every power of ten,
// for a device may be without its broker for days.

import type { Logger } from "../log.js";

/** Why there is no connection, and when the next attempt is. */
export interface ConnectionFailure {
  readonly reason: string;
  readonly isRefused: boolean;
  readonly wasConnected: boolean;
  readonly retryMs: number;
}

/** Reasons told apart; they come from sockets and brokers, so they are few. */
const REASONS_MAX = 20;

/** The log of one session. */
export class ConnectionLog {
  readonly #logger: Logger;
  readonly #counts = new Map<string, number>();
  #failures = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed({ reason, isRefused, wasConnected, retryMs }: ConnectionFailure): void {
    this.#failures++;
    const key = this.#counts.has(reason) || this.#counts.size < REASONS_MAX ? reason : "other";
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (!Number.isInteger(Math.log10(count))) return;
    const fields = { reason, count, retryMs };
    if (isRefused) this.#logger.error(fields, "the broker refuses this client: check its id and credentials");
    else
      this.#logger.warn(
        fields,
        wasConnected ? "connection to the broker lost" : "cannot connect to the broker",
      );
  }

  connected(): void {
    this.#logger.info({ failures: this.#failures }, "connected to the broker");
  }

  /** The trouble is over: what comes next is told from the start. */
  steady(): void {
    this.#failures = 0;
    this.#counts.clear();
  }
}
