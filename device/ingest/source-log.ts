// What was not taken of telemetry: each is counted by its reason, and the first of a kind is told.

import type { Counters } from "../../shared/counters.js";
import type { LogFields, Logger } from "../../shared/log.js";

/** Kinds told apart in the log; they come from a task's sources and our reasons, so they are few. */
const KINDS_MAX = 500;

/** The log of one task's sources. */
export class SourceLog {
  readonly #logger: Logger;
  readonly #counters: Counters;
  readonly #told = new Set<string>();

  constructor({ logger, counters }: { readonly logger: Logger; readonly counters: Counters }) {
    this.#logger = logger;
    this.#counters = counters;
  }

  /** Readings have gone through the pipeline. */
  taken(readings: number): void {
    this.#counters.add("telemetry.taken", readings);
  }

  /** Something was refused, dropped or skipped: `telemetry.<reason>`. Fields say what, for whoever mends it. */
  note(source: string, reason: string, fields: LogFields = {}, count = 1): void {
    this.#counters.add(`telemetry.${reason}`, count);
    const kind = `${source} ${reason}`;
    if (this.#told.has(kind) || this.#told.size >= KINDS_MAX) return;
    this.#told.add(kind);
    this.#logger.warn(
      { source, reason, ...fields },
      "telemetry not taken; further ones of this kind are only counted",
    );
  }
}
