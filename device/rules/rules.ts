// The owner's rules: bound to every task anew, their alarms kept over restarts and published on brokers of their own.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Logger } from "../../shared/log.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { Database } from "../../shared/storage/port.js";
import { didYouMean } from "../../shared/task/suggest.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "../../shared/transport/mqtt-session.js";
import type { Prediction } from "../fact.js";
import type { RowWatcher, WatchedTask } from "../row-watcher.js";
import { AlarmStore } from "./alarm-store.js";
import type { Alarm, AlarmState } from "./decide.js";
import type { Rule } from "./rule.js";
import { Speaker } from "./speaker.js";
import { RuleWatch } from "./watch.js";

/** Alarms remembered over all rules, each rule having its share: some MB. */
const ALARMS_MAX = 20_000;

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

/** Rules and their brokers, from making until closed. */
export class Rules {
  readonly #options: RulesOptions;
  readonly #store: AlarmStore;
  readonly #voices: readonly Voice[];
  readonly #sessions: readonly MqttSession[];
  readonly #shared = new Set<string>();

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#store = new AlarmStore(options.database, options.counters);
    const sessions: MqttSession[] = [];
    this.#voices = groupByBroker(options.rules).flatMap((rules, index) => {
      const voices: Voice[] = rules.map((rule) => this.#voice(rule, () => sessions[index]!));
      sessions.push(this.#connect(rules[0]!.publish.endpoint, index, voices));
      return voices;
    });
    this.#sessions = sessions;
    this.#resume();
  }

  /** Looks at the rows of another task. What was raised stays so, where the task still has the column. */
  bind(task: WatchedTask): RowWatcher {
    const found = this.#voices.map(({ watch }) => ({ watch, read: readerOf(watch.rule, task) }));
    for (const { watch, read } of found) {
      if (read !== undefined) continue;
      this.#warnUnbound(watch.rule, task);
      watch.lose();
    }
    const bound = found.flatMap(({ watch, read }) => (read === undefined ? [] : [{ watch, ...read }]));
    return {
      features: (row) => {
        for (const { watch, feature } of bound) {
          if (feature !== undefined) watch.value(row.entity, row.timeMs, feature(row));
        }
      },
      prediction: (prediction) => {
        for (const { watch, predicted } of bound) {
          const value = predicted?.(prediction) ?? null;
          if (value !== null) watch.value(prediction.entity, prediction.timeMs, value);
        }
      },
      passed: (timeMs) => {
        for (const { watch } of bound) watch.passed(timeMs);
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
      onChange: (...change) => this.#changed({ watch, speaker }, ...change),
      onForgotten: (entity) => this.#store.forget(rule.name, entity),
    });
    return { watch, speaker };
  }

  #changed(
    { watch, speaker }: Voice,
    entity: string,
    state: AlarmState,
    alarm: Alarm,
    isFirst: boolean,
  ): void {
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

  #resume(): void {
    const { logger, counters } = this.#options;
    for (const { rule, entity, state, isSaid } of this.#store.load()) {
      const voice = this.#voices.find(({ watch }) => watch.rule.name === rule);
      if (voice === undefined) {
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

  #warnUnbound({ name, of }: Rule, task: WatchedTask): void {
    const known = quantitiesOf(task);
    const why =
      of === PROBABILITY
        ? "the model of this task gives no probabilities"
        : `the task has no column ${JSON.stringify(of)}${didYouMean(of, known)}`;
    this.#options.logger.warn({ rule: name, of, known: known.slice(0, 100) }, `rule ${name} rests: ${why}`);
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

const VALUE = "prediction.value";
const PROBABILITY = "prediction.probability";

/** Where a rule finds its values in a task, undefined where there are none. */
function readerOf({ of }: Rule, { columns, hasProbability }: WatchedTask): Reader | undefined {
  if (of === VALUE) return { predicted: ({ value }) => value };
  if (of === PROBABILITY) return hasProbability ? { predicted: ({ probability }) => probability } : undefined;
  const position = columns.indexOf(of);
  return position < 0 ? undefined : { feature: ({ features }) => features[position]! };
}

interface Reader {
  readonly feature?: (row: FeatureRow) => number;
  readonly predicted?: (prediction: Prediction) => number | null;
}

function quantitiesOf({ columns, hasProbability }: WatchedTask): readonly string[] {
  return [VALUE, ...(hasProbability ? [PROBABILITY] : []), ...columns];
}

// The broker may have lost what it retained. What is raised comes first, and the limit per minute holds here too.
function sayAgain({ watch: { rule, states }, speaker }: Voice): void {
  if (rule.publish.retain) {
    const alarms = [...states].map(([entity, { alarm }]) => ({ entity, alarm }));
    for (const { entity, alarm } of retainedOf(rule, alarms)) speaker.say(entity, alarm);
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
