// Messages that are not worth an answer: counted always, logged once per device and reason.

import type { Counters } from "../../shared/counters.js";
import type { ErrorCode } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";

/** Most pairs of device and reason remembered; beyond, messages are only counted. */
const LOGGED_MAX = 10_000;

/** Why a message was dropped. */
export type DropReason =
  | "bad-topic"
  | "other-task"
  | "foreign-client"
  | "undecodable"
  | "unknown-device"
  | "chunk-unannounced"
  | "chunk-complete"
  | "chunk-out-of-range"
  | "chunk-overlap"
  | "chunk-too-many-chunks"
  | "commit-unannounced"
  | "staging-full"
  | "too-many-updates"
  | "too-many-wants"
  | "too-many-reports"
  // What went wrong here, so that the message could not be served.
  | ErrorCode;

/** Counts and logs. */
export class DropLog {
  readonly #counters: Counters;
  readonly #logger: Logger;
  readonly #logged = new Set<string>();

  constructor(counters: Counters, logger: Logger) {
    this.#counters = counters;
    this.#logger = logger;
  }

  /** `device` is a topic level, or "?" where there is none; `error` says more than the reason. */
  drop(device: string, reason: DropReason, error?: string): void {
    this.#counters.add(`dropped.${reason}`);
    const key = `${device} ${reason}`;
    if (this.#logged.has(key) || this.#logged.size >= LOGGED_MAX) return;
    this.#logged.add(key);
    this.#logger.warn({ device, reason, error }, "message dropped; further ones are only counted");
  }
}
