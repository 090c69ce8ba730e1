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
import {
  ANNOUNCED_MAX,
  announcement,
  availabilityTopic,
  type RetainedMessage,
  stateOf,
} from "./home-assistant.js";

/** Predictions that wait for the broker; the oldest make room. */
const WAITING_MAX = 1000;
/** Predictions on their way at once. */
const IN_FLIGHT_MAX = 16;

export interface PredictionPublisherOptions {
  readonly endpoint: MqttEndpoint;
  readonly topic: string;
  readonly task: TaskId;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What was not published is counted as `predictions.<reason>`. */
  readonly counters: Counters;
  /** Announces each entity to Home Assistant, and keeps its last prediction where that finds it. */
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
    const availability = availabilityTopic(options.topic);
    const will = { topic: availability, payload: Buffer.from("offline"), retain: true };
    this.#session = openMqttSession({
      ...options,
      ...(options.homeAssistant === undefined ? {} : { will }),
      subscriptions: [],
      onConnected: () => {
        if (options.homeAssistant !== undefined) this.#say({ topic: availability, payload: "online" });
        this.#queue.pump();
      },
      onDisconnected: () => undefined,
      onMessage: async () => undefined,
    });
  }

  /** Takes a prediction; it leaves as soon as it can. */
  publish(prediction: Prediction): void {
    this.#queue.post(this.#messageOf(prediction));
    if (this.#options.homeAssistant !== undefined) this.#show(prediction, this.#options.homeAssistant);
  }

  async close(): Promise<void> {
    this.#queue.close();
    if (this.#options.homeAssistant !== undefined && this.#session.isConnected) {
      const payload = "offline";
      await this.#send({ topic: availabilityTopic(this.#options.topic), payload, retain: true });
    }
    await this.#session.close();
  }

  #messageOf({ id, entity, timeMs, value, probability, anomaly, version }: Prediction): Message {
    const { topic, task } = this.#options;
    const judged = anomaly === null ? {} : { anomaly };
    const message = { task, id, entity, timeMs, value, probability, ...judged, version };
    return { topic, payload: JSON.stringify(message), retain: false };
  }

  #show(prediction: Prediction, announcing: Announcing): void {
    const { entity } = prediction;
    const output = announcing.output();
    if (output === undefined) return;
    if (!this.#announced.has(entity)) {
      if (this.#announced.size >= ANNOUNCED_MAX) {
        this.#options.counters.add("predictions.not-announced");
        return;
      }
      this.#announced.add(entity);
      this.#say(announcement({ ...this.#options, ...announcing }, { entity, output }));
    }
    this.#say(stateOf(this.#options.topic, prediction));
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
