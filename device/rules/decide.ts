// The alarm of one rule and one entity as a pure state machine on event time.

import type { Side } from "./level.js";
import type { Hold, Rule } from "./rule.js";

export type AlarmStatus = "raised" | "cleared" | "unknown";

/** What is said of an alarm when it changes. */
export interface Alarm {
  readonly status: AlarmStatus;
  /** Event time of the change. */
  readonly timeMs: number;
  /** Raised: the first value of the stretch that raised it. Cleared: likewise. Unknown: the last value. */
  readonly sinceMs: number;
  /** The value that made it so; for unknown the last one. */
  readonly value: number;
}

/** All that is remembered. */
export interface AlarmState {
  readonly alarm: Alarm;
  /** What it was when it was last known: an alarm comes back from unknown as what it had been. */
  readonly known: "raised" | "cleared";
  /** Event time of the newest value; undefined after a restart. */
  readonly heardMs: number | undefined;
  /** Event time from which silence is counted; undefined after a restart, until time is first heard of. */
  readonly silentFromMs: number | undefined;
  /** The latest values in a row that ask for a change. */
  readonly streak: { readonly sinceMs: number; readonly rows: number } | undefined;
}

/** A value, with its side; or event time alone. */
export type AlarmEvent =
  | { readonly type: "value"; readonly timeMs: number; readonly value: number; readonly side: Side }
  | { readonly type: "passed"; readonly timeMs: number };

/** What follows from an event: at most two changes, for an alarm that was silent for too long and is heard again. */
export interface Decision {
  /** Undefined before the first value. */
  readonly state: AlarmState | undefined;
  /** In order; the last one is the state's alarm. */
  readonly changes: readonly Alarm[];
}

type Timing = Pick<Rule, "raiseAfter" | "clearAfter" | "staleMs">;

/**
 * Decides. The first value always makes a change: from then on the alarm is known. Only values raise and clear: time
 * that passes proves nothing about a sensor that is silent, it makes an alarm unknown. A value that is not newer
 * than what was decided on changes nothing: a replay after a restart is harmless, and a row that a late reading revised
 * takes back no alarm.
 */
export function decide(state: AlarmState | undefined, event: AlarmEvent, timing: Timing): Decision {
  if (event.type === "passed")
    return state === undefined ? { state, changes: [] } : pass(state, event.timeMs, timing);
  if (state === undefined) return settle(unborn(event), event, timing);
  if (event.timeMs <= newestMs(state)) return { state, changes: [] };
  // So that what is said does not depend on how often event time was looked at in between.
  const passed = pass(state, event.timeMs, timing);
  const settled = settle(passed.state, event, timing);
  return { state: settled.state, changes: [...passed.changes, ...settled.changes] };
}

/** Nobody watches this alarm any more: its entity was forgotten, or the task has no such column. */
export function lose(state: AlarmState): Decision & { readonly state: AlarmState } {
  if (state.alarm.status === "unknown") return { state, changes: [] };
  const timeMs = newestMs(state);
  return becomeUnknown(state, timeMs);
}

/** An alarm as it was kept over a restart. */
export function resume(alarm: Alarm, known: "raised" | "cleared"): AlarmState {
  return { alarm, known, heardMs: undefined, silentFromMs: undefined, streak: undefined };
}

function unborn({ timeMs, value }: { readonly timeMs: number; readonly value: number }): AlarmState {
  return resume({ status: "unknown", timeMs, sinceMs: timeMs, value }, "cleared");
}

function pass(
  state: AlarmState,
  timeMs: number,
  { staleMs }: Timing,
): Decision & { readonly state: AlarmState } {
  if (staleMs === undefined || state.alarm.status === "unknown") return { state, changes: [] };
  // Over a restart it is not known when the last value came: silence counts from the first word after it.
  const fromMs = state.silentFromMs ?? timeMs;
  if (timeMs - fromMs > staleMs) return becomeUnknown(state, fromMs + staleMs);
  return {
    state: state.silentFromMs === undefined ? { ...state, silentFromMs: fromMs } : state,
    changes: [],
  };
}

function becomeUnknown(state: AlarmState, timeMs: number): Decision & { readonly state: AlarmState } {
  const alarm = { status: "unknown", timeMs, sinceMs: newestMs(state), value: state.alarm.value } as const;
  return { state: { ...state, alarm, streak: undefined }, changes: [alarm] };
}

function settle(
  state: AlarmState,
  { timeMs, value, side }: Extract<AlarmEvent, { type: "value" }>,
  { raiseAfter, clearAfter }: Timing,
): Decision {
  const heard = { heardMs: timeMs, silentFromMs: timeMs };
  const opposing: Side = state.known === "raised" ? "clearing" : "raising";
  const streak =
    side === opposing
      ? { sinceMs: state.streak?.sinceMs ?? timeMs, rows: (state.streak?.rows ?? 0) + 1 }
      : undefined;
  if (
    streak !== undefined &&
    isLongEnough(streak, timeMs, state.known === "raised" ? clearAfter : raiseAfter)
  ) {
    const known = state.known === "raised" ? "cleared" : "raised";
    const alarm: Alarm = { status: known, timeMs, sinceMs: streak.sinceMs, value };
    return { state: { alarm, known, ...heard, streak: undefined }, changes: [alarm] };
  }
  if (state.alarm.status !== "unknown") return { state: { ...state, ...heard, streak }, changes: [] };
  const alarm: Alarm = { status: state.known, timeMs, sinceMs: timeMs, value };
  return { state: { alarm, known: state.known, ...heard, streak }, changes: [alarm] };
}

function isLongEnough(
  { sinceMs, rows }: { readonly sinceMs: number; readonly rows: number },
  timeMs: number,
  hold: Hold,
): boolean {
  return hold.kind === "time" ? timeMs - sinceMs >= hold.ms : rows >= hold.rows;
}

// Of the values that the state stands on, as far as a restart has left a trace of them.
function newestMs({ alarm, heardMs }: AlarmState): number {
  return heardMs ?? (alarm.status === "unknown" ? alarm.sinceMs : alarm.timeMs);
}
