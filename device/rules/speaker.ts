// The voice of one rule: its alarms as MQTT messages on its own topic.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import { PublishQueue, type Sent } from "../publish-queue.js";
import type { Alarm } from "./decide.js";
import { nearestLine } from "./level.js";
import type { Rule } from "./rule.js";

/** Entities whose word waits for the broker; the oldest make room. */
const WAITING_MAX = 1000;
/** MQTT 3.1.1, 1.5.3. */
const TOPIC_BYTES_MAX = 65_535;

/** What a speaker needs of a connection. */
export interface Channel {
  readonly isConnected: boolean;
  publish(topic: string, payload: Uint8Array, options: { readonly retain: boolean }): Promise<void>;
}

export interface SpeakerOptions {
  readonly rule: Rule;
  readonly device: string;
  readonly channel: () => Channel;
  /** The broker has the word. */
  readonly onSaid: (entity: string, alarm: Alarm) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

interface Word {
  readonly entity: string;
  readonly alarm: Alarm;
}

/**
 * Says how alarms are. A newer word takes the place of one that still waits: without a broker, or when a rule flaps
 * beyond its messages a minute, what is said late is how things are, not how they were.
 */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #queue: PublishQueue<Word>;

  constructor(options: SpeakerOptions) {
    const { rule, clock, counters, channel } = options;
    this.#options = options;
    this.#queue = new PublishQueue({
      clock,
      waitingMax: WAITING_MAX,
      // One after the other: a word that got lost must not be said again after a newer one.
      inFlightMax: 1,
      perMinute: rule.publish.perMinute,
      isConnected: () => channel().isConnected,
      send: (word) => this.#send(word),
      onDropped: (reason) => counters.add(`rules.${reason}`),
    });
  }

  say(entity: string, alarm: Alarm): void {
    this.#queue.post({ entity, alarm }, entity);
  }

  /** Says again what was said before, unless something newer of the entity waits. */
  sayAgain(entity: string, alarm: Alarm): void {
    if (!this.#queue.has(entity)) this.say(entity, alarm);
  }

  /** The connection is back. */
  pump(): void {
    this.#queue.pump();
  }

  close(): void {
    this.#queue.close();
  }

  async #send({ entity, alarm }: Word): Promise<Sent> {
    const { rule, device, channel, counters, logger, onSaid } = this.#options;
    const topic = topicOf(rule, device, entity);
    if (Buffer.byteLength(topic) > TOPIC_BYTES_MAX) {
      counters.add("rules.topic-too-long");
      return "done";
    }
    try {
      await channel().publish(topic, payloadOf(rule, entity, alarm), { retain: rule.publish.retain });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`rules.${error.code}`);
      return "again";
    }
    counters.add("rules.said");
    logger.info({ rule: rule.name, entity, ...alarm }, `alarm ${alarm.status}`);
    onSaid(entity, alarm);
    return "done";
  }
}

/** The topic of an entity's alarm: one level for the entity, whatever its name. */
export function topicOf({ name, publish }: Rule, device: string, entity: string): string {
  const names: Readonly<Record<string, string>> = { device, rule: name, entity: levelOf(entity) };
  return publish.topic.replace(/\{(device|rule|entity)\}/g, (text, key: string) => names[key] ?? text);
}

// Percent-encoded as in URLs, so that two entities never share a level (MQTT 3.1.1, 4.7.1: no "/", "+" or "#" in one).
function levelOf(entity: string): string {
  const level = entity.replace(
    /[%/+#\0]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return level === "" ? "%" : level;
}

// "None" is what Home Assistant's MQTT binary sensor takes for unknown.
const ON_OFF = { raised: "ON", cleared: "OFF", unknown: "None" } as const;

function payloadOf(rule: Rule, entity: string, alarm: Alarm): Uint8Array {
  const { status, timeMs, sinceMs, value } = alarm;
  if (rule.publish.payload === "onoff") return Buffer.from(ON_OFF[status]);
  const isKnown = status !== "unknown";
  const message = {
    ...{ rule: rule.name, state: status, entity, of: rule.of, timeMs, sinceMs },
    value: isKnown ? value : null,
    threshold: isKnown ? nearestLine(rule, value) : null,
  };
  return Buffer.from(JSON.stringify(message));
}
