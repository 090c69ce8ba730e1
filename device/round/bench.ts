// Where a round is worked on: fetching, training and the deadline run here beside the inbox, and report to it.

import type { Cancel, Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Offer } from "../../shared/wire/message.js";
import type { BaseModel } from "../model/check.js";
import type { BuiltUpdate } from "../update/builder.js";
import type { RoundWork } from "./work.js";

/** No deadline is longer, whatever a server says. */
const DEADLINE_MAX_MS = 86_400_000;

/** What a bench reports. */
export type BenchEvent =
  | { readonly type: "deadline"; readonly round: number }
  | { readonly type: "base-ready"; readonly round: number; readonly base: BaseModel }
  | { readonly type: "base-refused"; readonly round: number }
  | { readonly type: "worked"; readonly round: number; readonly update: BuiltUpdate }
  | { readonly type: "work-failed"; readonly round: number; readonly reason: string };

/** Holds the work of one round at a time. */
export class WorkBench {
  readonly #clock: Clock;
  readonly #work: () => RoundWork;
  readonly #report: (event: BenchEvent) => void;
  #round = new AbortController();
  #cancelDeadline: Cancel = () => undefined;

  /** `work` is that of the adopted task; it is asked for only once there is one. */
  constructor(clock: Clock, work: () => RoundWork, report: (event: BenchEvent) => void) {
    this.#clock = clock;
    this.#work = work;
    this.#report = report;
  }

  /** Begins a round: its deadline runs, and its base is fetched if it has one. */
  prepare(offer: Offer): void {
    this.clear();
    const { round, manifest, remainingMs } = offer;
    const deadline = () => this.#report({ type: "deadline", round });
    this.#cancelDeadline = this.#clock.after(Math.min(remainingMs, DEADLINE_MAX_MS), deadline);
    if (manifest !== null) this.#run(round, (signal) => this.#fetchBase(offer, signal));
  }

  /** Does the round's work. */
  perform(offer: Offer, base: BaseModel | undefined): void {
    const { round } = offer;
    this.#run(round, async (signal) => {
      const outcome = await this.#work().perform(offer, base, signal);
      if (outcome.ok) return { type: "worked", round, update: outcome.update };
      return { type: "work-failed", round, reason: outcome.reason };
    });
  }

  /** Ends the round: what is under way is stopped, and is not heard of again. */
  clear(): void {
    this.#cancelDeadline();
    // With a reason of its own: without one, an exception is made with its stack.
    this.#round.abort("the round is over");
    this.#round = new AbortController();
  }

  async #fetchBase(offer: Offer, signal: AbortSignal): Promise<BenchEvent> {
    const { round } = offer;
    const outcome = await this.#work().fetchBase(offer, signal);
    if (outcome.ok) return { type: "base-ready", round, base: outcome.base };
    if (outcome.reason === "refused") return { type: "base-refused", round };
    return { type: "work-failed", round, reason: outcome.reason };
  }

  // What fails after it was stopped failed because of that. What is no fault of the world is a bug, and left to
  // be seen.
  #run(round: number, task: (signal: AbortSignal) => Promise<BenchEvent>): void {
    const { signal } = this.#round;
    void task(signal).then(
      (event) => {
        if (!signal.aborted) this.#report(event);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        if (!(error instanceof HeadwaterError)) throw error;
        this.#report({ type: "work-failed", round, reason: error.code });
      },
    );
  }
}
