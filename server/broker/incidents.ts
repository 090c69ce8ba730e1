// What clients did that they may not, and what was refused to them: counted always, logged once per client and
// reason.

import type { Counters } from "../../shared/counters.js";
import type { LogFields, Logger } from "../../shared/log.js";

/** Most pairs of client and reason remembered; beyond, incidents are only counted. */
const LOGGED_MAX = 10_000;

/** Counts as `broker.<reason>`, and logs. */
export class Incidents {
  readonly #counters: Counters;
  readonly #logger: Logger;
  readonly #logged = new Set<string>();

  constructor(counters: Counters, logger: Logger) {
    this.#counters = counters;
    this.#logger = logger;
  }

  /** `client`: its id, once that is certain; all others are one, so that nobody can fill the log with names. */
  note(client: string | undefined, reason: string, fields: LogFields = {}): void {
    this.#counters.add(`broker.${reason}`);
    const key = `${client ?? ""} ${reason}`;
    if (this.#logged.has(key) || this.#logged.size >= LOGGED_MAX) return;
    this.#logged.add(key);
    this.#logger.warn({ client, reason, ...fields }, "broker incident; further ones are only counted");
  }
}
