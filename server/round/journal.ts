// The journal as a port: what makes a decision durable, and gives it back after a restart.

import type { Write } from "./command.js";
import { decide } from "./decide.js";
import type { RoundEvent } from "./event.js";
import type { Policy } from "./policy.js";
import type { RoundsState } from "./state.js";

/** One decision. */
export interface JournalEntry {
  /** Undefined when the event left the state as it was. */
  readonly event: RoundEvent | undefined;
  /** The state after it. */
  readonly state: RoundsState;
  readonly writes: readonly Write[];
}

/** Everything journaled, as far as it is still needed. */
export interface JournalContent {
  /** State before `events`. */
  readonly state: RoundsState;
  /** The rules `events` were decided by. */
  readonly policy: Policy;
  readonly events: readonly RoundEvent[];
  /** When the server was last known to run. */
  readonly aliveMs: number;
}

/** Durable and bounded. Every method rejects with `storage-full` or `storage-failed`, having changed nothing. */
export interface Journal {
  load(): Promise<JournalContent | undefined>;
  /** Starts anew from `state`, under `policy`. */
  begin(state: RoundsState, policy: Policy, nowMs: number): Promise<void>;
  /** Stores the events and all their writes, in order, or nothing. At least one. */
  commit(entries: readonly JournalEntry[]): Promise<void>;
  /** Notes that the server runs, for the next start to know how long it was away. */
  beat(nowMs: number): Promise<void>;
}

/** The state after all that was journaled. */
export function replay({ state, policy, events }: JournalContent): RoundsState {
  return events.reduce((before, event) => decide(before, event, policy).state, state);
}
