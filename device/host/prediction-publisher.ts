// Predictions to whoever wants them, over MQTT: JSON, one message each, on a client of their own.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Random } from "../../shared/random.js";
import type { OutputSpec } from "../../shared/task/task.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "../../shared/transport/mqtt-session.js";
import type { Prediction } from "../fact.js";
import { PublishQueue, type Sent } from "../publish-queue.js";
import { ANNOUNCED_MAX, announcement, type RetainedMessage } from "./home-assistant.js";
import { availabilityTopic, entityTopic, RetainedPredictions } from "./retained-predictions.js";

/** Predictions that wait for the broker; the oldest make room. */
const WAITING_MAX = 1000;
/** Predictions on their way at once. */
const IN_FLIGHT_MAX = 16;

export interface PredictionPublisherOptions {
  readonly endpoint: MqttEndpoint;
  readonly topic: string;
  /** Entities whose newest prediction the broker keeps. */
  readonly retainedEntities: number;
  /** Each entity's newest prediction of before this start. */
  readonly remembered: readonly Prediction[];
  readonly task: TaskId;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What was not published is counted as `predictions.<reason>`. */
  readonly counters: Counters;
  /** Announces each entity to Home Assistant. */
  readonly homeAssistant?: Announcing | undefined;
}

/** What an announcement says beside its entity. */
interface Announcing {
  readonly device: string;
  readonly version: string;
  /** Of the task's model; undefined before there is a task. */
  output(): OutputSpec["kind"] | undefined;
}

/** Publishes from its making until closed. */
export class PredictionPublisher {
  readonly #options: PredictionPublisherOptions;
  readonly #session: MqttSession;
  readonly #queue: PublishQueue<Message>;
  readonly #retained: RetainedPredictions | undefined;
  /** Entities that Home Assistant has been told of. */
  readonly #announced = new Set<string>();

  constructor(options: PredictionPublisherOptions) {
    this.#options = options;
    this.#queue = new PublishQueue({
      clock: options.clock,
      waitingMax: WAITING_MAX,
      inFlightMax: IN_FLIGHT_MAX,
      isConnected: () => this.#session.isConnected,
      send: (message) => this.#send(message),
      onDropped: (reason) => options.counters.add(`predictions.${reason}`),
    });
    this.#retained = this.#createRetained();
    const availability = availabilityTopic(options.topic);
    const will = { topic: availability, payload: Buffer.from("offline"), retain: true };
    this.#session = openMqttSession({
      ...options,
      ...(options.homeAssistant === undefined ? {} : { will }),
      subscriptions: [],
      onConnected: () => {
        if (options.homeAssistant !== undefined) this.#say({ topic: availability, payload: "online" });
        this.#queue.pump();
        this.#retained?.pump();
      },
      onDisconnected: () => undefined,
      onMessage: async () => undefined,
    });
    // A broker that was made anew has forgotten them.
    for (const prediction of options.remembered) this.#retained?.take(prediction);
  }

  /** Takes a prediction; it leaves as soon as it can. */
  publish(prediction: Prediction): void {
    const { topic, homeAssistant } = this.#options;
    this.#queue.post({ topic, payload: this.#format(prediction), retain: false });
    this.#retained?.take(prediction);
    if (homeAssistant !== undefined) this.#announce(prediction.entity, homeAssistant);
  }

  async close(): Promise<void> {
    this.#queue.close();
    this.#retained?.close();
    if (this.#options.homeAssistant !== undefined && this.#session.isConnected) {
      const payload = "offline";
      await this.#send({ topic: availabilityTopic(this.#options.topic), payload, retain: true });
    }
    await this.#session.close();
  }

  #createRetained(): RetainedPredictions | undefined {
    const { retainedEntities: entities, topic, clock, counters } = this.#options;
    if (entities === 0) return undefined;
    return new RetainedPredictions({
      ...{ entities, topic, clock, counters, session: () => this.#session },
      format: (prediction) => this.#format(prediction),
    });
  }

  #format({ id, entity, timeMs, value, probability, anomaly, version }: Prediction): string {
    const { task } = this.#options;
    const judged = anomaly === null ? {} : { anomaly };
    return JSON.stringify({ task, id, entity, timeMs, value, probability, ...judged, version });
  }

  #announce(entity: string, announcing: Announcing): void {
    const output = announcing.output();
    if (output === undefined || this.#announced.has(entity)) return;
    const state = entityTopic(this.#options.topic, entity);
    if (state === undefined || this.#announced.size >= ANNOUNCED_MAX) {
      this.#options.counters.add("predictions.not-announced");
      return;
    }
    this.#announced.add(entity);
    this.#say(announcement({ ...this.#options, ...announcing }, { entity, state, output }));
  }

  /** Only the newest message of a retained topic is worth sending. */
  #say(message: RetainedMessage): void {
    this.#queue.post({ ...message, retain: true }, message.topic);
  }

  // A prediction that got lost on the way is not sent again: by then a newer one says more.
  async #send({ topic, payload, retain }: Message): Promise<Sent> {
    try {
      await this.#session.publish(topic, Buffer.from(payload), { retain });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`predictions.${error.code}`);
      // An announcement is made once, and lasts.
      if (retain) return "again";
    }
    return "done";
  }
}

interface Message extends RetainedMessage {
  readonly retain: boolean;
}
