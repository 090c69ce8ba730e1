// Rounds always end: by their deadline, but for the time in which the server was down or could not write. And they begin
// no sooner than the task allows.

import type { ServerFact } from "../../server/fact.js";
import type { RoundStatus } from "../../server/status.js";
import type { RoundsSpec } from "../../shared/task/task.js";
import type { Violations } from "./violations.js";

/** A server that has just started may not know of the last half minute in which it ran. */
const UNNOTED_MS = 30_000;
/** How soon the server tries again what the disk refused. */
const RETRY_MS = 5_000;

/** What may keep a server from ending a round. */
export interface ServerCondition {
  readonly nowMs: number;
  readonly isUp: boolean;
  readonly isDiskFull: boolean;
}

/** Watches deadlines. Told of the server's condition after every event. */
export class RoundWatch {
  readonly #violations: Violations;
  #open: { readonly round: number; readonly kind: string; endMs: number } | undefined;
  #last: ServerCondition = { nowMs: 0, isUp: true, isDiskFull: false };
  #newest = 0;
  readonly #rules: Pick<RoundsSpec, "everyMs" | "deadlineMs">;
  #trainedMs = Number.NEGATIVE_INFINITY;
  #isLearningAnew = false;

  constructor(violations: Violations, rules: Pick<RoundsSpec, "everyMs" | "deadlineMs">) {
    this.#violations = violations;
    this.#rules = rules;
  }

  /** The fleet learns anew: from here on rounds may be urgent. */
  learnsAnew(): void {
    this.#isLearningAnew = true;
  }

  /** The server says that it has opened a round. */
  opened({ round, kind, deadlineMs }: Extract<ServerFact, { type: "round-opened" }>): void {
    if (kind !== "train") return;
    const openedMs = deadlineMs - this.#rules.deadlineMs;
    const restMs = openedMs - this.#trainedMs;
    this.#trainedMs = openedMs;
    this.#violations.expect(
      restMs >= this.#rules.everyMs || this.#isLearningAnew,
      () => `train round ${round} opened ${restMs} ms after the one before, not ${this.#rules.everyMs}`,
    );
  }

  /** The server says which round is open, if any. */
  see(open: RoundStatus | undefined): void {
    if (open === undefined) {
      this.#open = undefined;
      return;
    }
    if (open.round === this.#open?.round) return;
    this.#violations.expect(
      open.round > this.#newest,
      () => `round ${open.round} opened after round ${this.#newest}`,
    );
    this.#newest = Math.max(this.#newest, open.round);
    this.#open = { round: open.round, kind: open.kind, endMs: open.deadlineMs };
  }

  /** Time has passed. */
  pass(now: ServerCondition): void {
    const last = this.#last;
    this.#last = now;
    const open = this.#open;
    if (open === undefined) return;
    const isHindered = !last.isUp || last.isDiskFull;
    if (isHindered) open.endMs += now.nowMs - last.nowMs;
    if (now.isUp && !last.isUp) open.endMs += UNNOTED_MS;
    if (!now.isDiskFull && last.isDiskFull) open.endMs += RETRY_MS;
    this.#violations.expect(
      now.nowMs <= open.endMs || !now.isUp || now.isDiskFull,
      () => `${open.kind} round ${open.round} is open after its deadline`,
    );
  }
}
