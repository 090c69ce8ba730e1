// The owner's rules: bound to every task anew, their alarms kept over restarts and published on brokers of their own.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Logger } from "../../shared/log.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { Database } from "../../shared/storage/port.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "../../shared/transport/mqtt-session.js";
import type { Prediction } from "../fact.js";
import type { RowWatcher, WatchedTask } from "../row-watcher.js";
import { AlarmStore, type KeptAlarm } from "./alarm-store.js";
import type { Alarm } from "./decide.js";
import { findQuantity } from "./quantity.js";
import type { Rule } from "./rule.js";
import { Speaker } from "./speaker.js";
import { type AlarmChange, RuleWatch } from "./watch.js";

/** Alarms remembered over all rules, each rule having its share: some MB. */
const ALARMS_MAX = 20_000;
/** Names in one line of the log. */
const COLUMNS_LOGGED = 100;

export interface RulesOptions {
  readonly rules: readonly Rule[];
  readonly device: string;
  /** Opened with `telemetryMigrations`. */
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Changes, and what was not said and why, as `rules.<reason>`. */
  readonly counters: Counters;
}

/** Rules and their brokers, from making until closed. Making them throws `storage-failed` when alarms cannot be read. */
export class Rules {
  readonly #options: RulesOptions;
  readonly #store: AlarmStore;
  readonly #voices: readonly Voice[];
  readonly #sessions: readonly MqttSession[];
  readonly #shared = new Set<string>();

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#store = new AlarmStore(options.database, options.counters);
    // Read before anything is opened: this is what may fail.
    const kept = this.#store.load();
    const sessions: MqttSession[] = [];
    this.#voices = groupByBroker(options.rules).flatMap((rules, index) => {
      const voices: Voice[] = rules.map((rule) => this.#voice(rule, () => sessions[index]!));
      sessions.push(this.#connect(rules[0]!.publish.endpoint, index, voices));
      return voices;
    });
    this.#sessions = sessions;
    this.#resume(kept);
  }

  /** Looks at the rows of another task. What was raised stays so, where the task still has the column. */
  bind(task: WatchedTask): RowWatcher {
    const ofFeatures: Bound<FeatureRow>[] = [];
    const ofPredictions: Bound<Prediction>[] = [];
    for (const { watch } of this.#voices) {
      const found = findQuantity(watch.rule.of, task);
      if (found.from === "features") ofFeatures.push({ watch, read: found.read });
      else if (found.from === "prediction") ofPredictions.push({ watch, read: found.read });
      else this.#rest(watch, found.why, task);
    }
    return {
      features: (row) => watchRow(ofFeatures, row),
      prediction: (prediction) => watchRow(ofPredictions, prediction),
      passed: (timeMs) => {
        for (const { watch } of [...ofFeatures, ...ofPredictions]) watch.passed(timeMs);
      },
    };
  }

  async close(): Promise<void> {
    for (const { speaker } of this.#voices) speaker.close();
    await Promise.all(this.#sessions.map((session) => session.close()));
  }

  #voice(rule: Rule, channel: () => MqttSession): Voice {
    const { counters, rules } = this.#options;
    const onSaid = (entity: string, { timeMs }: Alarm) => this.#store.said(rule.name, entity, timeMs);
    const speaker = new Speaker({ ...this.#options, rule, channel, onSaid });
    const watch = new RuleWatch({
      rule,
      counters,
      entitiesMax: Math.floor(ALARMS_MAX / rules.length),
      onChange: (change) => this.#changed({ watch, speaker }, change),
      onForgotten: (entity) => this.#store.forget(rule.name, entity),
    });
    return { watch, speaker };
  }

  #changed({ watch, speaker }: Voice, { entity, state, alarm, isFirst }: AlarmChange): void {
    const { name, publish } = watch.rule;
    // Whoever reads a retained topic wants to know that all is well; nobody waits for a message about it.
    if (isFirst && !publish.retain) return;
    if (!isFirst) {
      this.#options.counters.add(`rules.${alarm.status}`);
      // On disk before it is said: see AlarmStore.
      this.#store.keep(name, entity, state);
    }
    if (watch.states.size > 1) this.#warnShared(watch.rule);
    speaker.say(entity, alarm);
  }

  #connect(endpoint: MqttEndpoint, index: number, voices: readonly Voice[]): MqttSession {
    const { device, clock, logger } = this.#options;
    const clientId = `${device}-rules-${index + 1}`;
    return openMqttSession({
      ...{ endpoint, clientId, clock, logger, random: randomStream("rules", clientId) },
      subscriptions: [],
      onConnected: () => {
        for (const voice of voices) sayAgain(voice);
      },
      onDisconnected: () => undefined,
      onMessage: async () => undefined,
    });
  }

  #resume(kept: readonly KeptAlarm[]): void {
    const { logger, counters } = this.#options;
    for (const { rule, entity, state, isSaid } of kept) {
      const voice = this.#voices.find(({ watch }) => watch.rule.name === rule);
      if (voice === undefined || !voice.watch.isMeant(entity)) {
        this.#store.forget(rule, entity);
        counters.add("rules.removed");
        const { status } = state.alarm;
        if (status !== "cleared")
          logger.warn({ rule, entity, status }, "the config no longer has this alarm's rule");
        continue;
      }
      voice.watch.resume(entity, state);
      if (!isSaid) voice.speaker.say(entity, state.alarm);
    }
  }

  #rest(watch: RuleWatch, why: string, { columns }: WatchedTask): void {
    const { name, of } = watch.rule;
    const known = columns.slice(0, COLUMNS_LOGGED);
    this.#options.logger.warn({ rule: name, of, columns: known }, `rule ${name} rests: ${why}`);
    watch.lose();
  }

  #warnShared({ name, publish: { topic, retain, payload } }: Rule): void {
    if (topic.includes("{entity}") || this.#shared.has(name)) return;
    if (!retain && payload === "json") return;
    this.#shared.add(name);
    this.#options.logger.warn(
      { rule: name, topic },
      `the entities of rule ${name} overwrite each other on one topic: put {entity} into it, or name one entity`,
    );
  }
}

interface Voice {
  readonly watch: RuleWatch;
  readonly speaker: Speaker;
}

/** A rule with the way to its values. */
interface Bound<Item> {
  readonly watch: RuleWatch;
  readonly read: (item: Item) => number | null;
}

function watchRow<Item extends { readonly entity: string; readonly timeMs: number }>(
  bound: readonly Bound<Item>[],
  item: Item,
): void {
  for (const { watch, read } of bound) {
    const value = read(item);
    if (value !== null) watch.value(item.entity, item.timeMs, value);
  }
}

// The broker may have lost what it retained. What is raised comes first, and the limit per minute holds here too.
function sayAgain({ watch: { rule, states }, speaker }: Voice): void {
  if (rule.publish.retain) {
    const alarms = [...states].map(([entity, { alarm }]) => ({ entity, alarm }));
    for (const { entity, alarm } of retainedOf(rule, alarms)) speaker.sayAgain(entity, alarm);
  }
  speaker.pump();
}

const ORDER = { raised: 0, unknown: 1, cleared: 2 } as const;

function retainedOf(
  { publish }: Rule,
  alarms: readonly { readonly entity: string; readonly alarm: Alarm }[],
) {
  // On one topic for all entities only the newest word is retained.
  if (!publish.topic.includes("{entity}"))
    return alarms.toSorted((a, b) => b.alarm.timeMs - a.alarm.timeMs).slice(0, 1);
  return alarms.toSorted((a, b) => ORDER[a.alarm.status] - ORDER[b.alarm.status]);
}

function groupByBroker(rules: readonly Rule[]): readonly (readonly Rule[])[] {
  const keyOf = ({ publish: { endpoint } }: Rule) =>
    JSON.stringify([endpoint.url, endpoint.username, endpoint.password]);
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) groups.set(keyOf(rule), [...(groups.get(keyOf(rule)) ?? []), rule]);
  return [...groups.values()];
}
