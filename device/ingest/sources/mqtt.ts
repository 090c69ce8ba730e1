// Telemetry over MQTT: one client per broker, apart from the uplink, for all of the task's sources found there.
// A message is acknowledged when its readings have gone through the pipeline, so a broker that counts what is
// unacknowledged slows its publishers down instead of filling our memory.

import type { Clock } from "../../../shared/clock.js";
import type { Counters } from "../../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../../shared/error.js";
import type { Logger } from "../../../shared/log.js";
import type { Reading } from "../../../shared/pipeline/types.js";
import type { Random } from "../../../shared/random.js";
import {
  type MqttEndpoint,
  type MqttSession,
  openMqttSession,
} from "../../../shared/transport/mqtt-session.js";
import type { Message } from "../../../shared/transport/port.js";
import { matcherOf, type TopicMatcher } from "../../../shared/transport/topic-filter.js";
import { isSane } from "../clock.js";
import type { Decode, RawMessage } from "../decoders/port.js";
import { Replies } from "../replies.js";

/** Longest message that is looked at: a second of vibration as JSON, with room to spare. */
const MESSAGE_BYTES_MAX = 256 * 1024;

/** One source on this broker. */
export interface Binding {
  /** Of the source, as the task calls it. */
  readonly name: string;
  readonly filter: string;
  readonly decode: Decode;
}

export interface MqttSourceOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientId: string;
  readonly bindings: readonly Binding[];
  /** Resolves when the readings have gone through the pipeline. */
  readonly ingest: (readings: readonly Reading[]) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Readings are counted as `telemetry.taken`, what was not taken as `telemetry.<reason>`. */
  readonly counters: Counters;
}

/** Subscribed from its making until closed, through every loss of connection. */
export class MqttSource {
  readonly #options: MqttSourceOptions;
  readonly #session: MqttSession;
  readonly #bindings: readonly { readonly matches: TopicMatcher; readonly binding: Binding }[];
  readonly #replies: Replies;
  readonly #logged = new Set<string>();

  constructor(options: MqttSourceOptions) {
    const { bindings, ...rest } = options;
    this.#options = options;
    this.#bindings = bindings.map((binding) => ({ matches: matcherOf(binding.filter), binding }));
    this.#session = openMqttSession({
      ...rest,
      subscriptions: [...new Set(bindings.map(({ filter }) => filter))],
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onMessage: (message) => this.#take(message),
    });
    this.#replies = new Replies({
      ...options,
      publish: (topic, payload) => this.#session.publish(topic, payload),
    });
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  // Never rejects: a message that cannot be taken is counted and acknowledged, or it would come for ever.
  async #take(message: Message): Promise<void> {
    const { ingest } = this.#options;
    const readings: Reading[] = [];
    for (const { matches, binding } of this.#bindings) {
      if (matches(message.topic)) readings.push(...this.#decode(binding, message));
    }
    if (readings.length === 0) return;
    try {
      await ingest(readings);
      this.#options.counters.add("telemetry.taken", readings.length);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#note(`not-taken-${error.code}`, readings.length, { error: messageOf(error) });
    }
  }

  #decode({ name, decode }: Binding, message: Message): readonly Reading[] {
    const { topic, payload } = message;
    const refuse = (reason: string) => {
      this.#note(reason, 1, { source: name, topic });
      return [];
    };
    if (payload.length > MESSAGE_BYTES_MAX) return refuse("too-large");
    const {
      readings,
      faults,
      badValues,
      replies = [],
    } = decode({
      ...{ topic, payload },
      arrivalMs: this.#arrivalOf(message),
    });
    for (const fault of faults) refuse(fault);
    for (const reply of replies) void this.#replies.send(reply);
    if (badValues > 0) this.#note("bad-value", badValues, { source: name, topic });
    return readings;
  }

  #arrivalOf({ retained }: Message): RawMessage["arrivalMs"] {
    // When it was published nobody knows: it may be from last year.
    if (retained) return "retained";
    const nowMs = this.#options.clock.now();
    return isSane(nowMs) ? nowMs : "clock-unset";
  }

  #note(reason: string, count: number, fields: object): void {
    const { counters, logger, endpoint } = this.#options;
    counters.add(`telemetry.${reason}`, count);
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    const what = { broker: endpoint.url, reason, ...fields };
    logger.warn(what, "telemetry not taken; further ones of this kind are only counted");
  }
}
