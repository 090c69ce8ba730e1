// One rule at work: the alarms of its entities, so many at most.

import type { Counters } from "../../shared/counters.js";
import { type Alarm, type AlarmState, decide, lose } from "./decide.js";
import { createSideReader, type Side } from "./level.js";
import type { Rule } from "./rule.js";

/** A change of one entity's alarm. */
export interface AlarmChange {
  readonly entity: string;
  readonly alarm: Alarm;
  /** All that is remembered after it. */
  readonly state: AlarmState;
  /** The alarm was born cleared, which is no news. */
  readonly isFirst: boolean;
}

export interface RuleWatchOptions {
  readonly rule: Rule;
  /** Entities at once; beyond, the one silent for longest is forgotten, its alarm unknown. */
  readonly entitiesMax: number;
  readonly counters: Counters;
  readonly onChange: (change: AlarmChange) => void;
  readonly onForgotten: (entity: string) => void;
}

/** Watches values of one quantity, entity by entity. */
export class RuleWatch {
  readonly rule: Rule;
  /** True for entities that the rule is about. */
  readonly isMeant: (entity: string) => boolean;
  readonly #options: RuleWatchOptions;
  readonly #sideOf: (value: number) => Side;
  // Least recently heard first.
  readonly #states = new Map<string, AlarmState>();

  constructor(options: RuleWatchOptions) {
    this.rule = options.rule;
    this.#options = options;
    this.#sideOf = createSideReader(options.rule);
    this.isMeant = createEntityFilter(options.rule.entities);
  }

  /** Alarms as they are, the one silent for longest first. */
  get states(): ReadonlyMap<string, AlarmState> {
    return this.#states;
  }

  /** Takes up an alarm that was kept over a restart. */
  resume(entity: string, state: AlarmState): void {
    this.#set(entity, state);
  }

  /** A value of an entity. */
  value(entity: string, timeMs: number, value: number): void {
    const before = this.#states.get(entity);
    if (before === undefined && !this.isMeant(entity)) return;
    if (!Number.isFinite(value)) {
      this.#options.counters.add("rules.not-finite");
      return;
    }
    const event = { type: "value", timeMs, value, side: this.#sideOf(value) } as const;
    const { state, changes } = decide(before, event, this.rule);
    if (state === before || state === undefined) {
      this.#options.counters.add("rules.old-value");
      return;
    }
    this.#set(entity, state);
    for (const alarm of changes) {
      const isFirst = before === undefined && alarm.status === "cleared";
      this.#options.onChange({ entity, state, alarm, isFirst });
    }
  }

  /** Event time has come to `timeMs`: alarms that were silent for too long become unknown. */
  passed(timeMs: number): void {
    for (const [entity, before] of this.#states) {
      const { state, changes } = decide(before, { type: "passed", timeMs }, this.rule);
      if (state === undefined || state === before) continue;
      this.#states.set(entity, state);
      for (const alarm of changes) this.#options.onChange({ entity, state, alarm, isFirst: false });
    }
  }

  /** The values will not come any more: every alarm becomes unknown. */
  lose(): void {
    for (const [entity, state] of this.#states) this.#states.set(entity, this.#lose(entity, state));
  }

  #set(entity: string, state: AlarmState): void {
    // Deleted and set again: a map keeps the order of insertion.
    this.#states.delete(entity);
    this.#states.set(entity, state);
    if (this.#states.size > this.#options.entitiesMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [entity, state] of this.#states) {
      // An alarm that is cleared stays so for whoever heard of it: only a raised one would be wrong for ever.
      if (state.known === "raised") this.#lose(entity, state);
      this.#states.delete(entity);
      this.#options.counters.add("rules.entities-forgotten");
      this.#options.onForgotten(entity);
      return;
    }
  }

  #lose(entity: string, before: AlarmState): AlarmState {
    const { state, changes } = lose(before);
    for (const alarm of changes) this.#options.onChange({ entity, state, alarm, isFirst: false });
    return state;
  }
}

/** Matches names of entities; `*` stands for any text. */
function createEntityFilter(patterns: readonly string[] | undefined): (entity: string) => boolean {
  if (patterns === undefined) return () => true;
  const matchers = patterns.map((pattern) => {
    const text = pattern.replace(/[\\^$.|?+()[\]{}]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${text}$`, "su");
  });
  return (entity) => matchers.some((matcher) => matcher.test(entity));
}
