// Predictions to whoever wants them, over MQTT: JSON, one message each, on a client of their own.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Random } from "../../shared/random.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "../../shared/transport/mqtt-session.js";
import type { Prediction } from "../fact.js";
import { PublishQueue, type Sent } from "../publish-queue.js";

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
}

/** Publishes from its making until closed. */
export class PredictionPublisher {
  readonly #options: PredictionPublisherOptions;
  readonly #session: MqttSession;
  readonly #queue: PublishQueue<Prediction>;

  constructor(options: PredictionPublisherOptions) {
    this.#options = options;
    this.#queue = new PublishQueue({
      clock: options.clock,
      waitingMax: WAITING_MAX,
      inFlightMax: IN_FLIGHT_MAX,
      isConnected: () => this.#session.isConnected,
      send: (prediction) => this.#send(prediction),
      onDropped: (reason) => options.counters.add(`predictions.${reason}`),
    });
    this.#session = openMqttSession({
      ...options,
      subscriptions: [],
      onConnected: () => this.#queue.pump(),
      onDisconnected: () => undefined,
      onMessage: async () => undefined,
    });
  }

  /** Takes a prediction; it leaves as soon as it can. */
  publish(prediction: Prediction): void {
    this.#queue.post(prediction);
  }

  close(): Promise<void> {
    this.#queue.close();
    return this.#session.close();
  }

  // A prediction that got lost on the way is not sent again: by then a newer one says more.
  async #send({ id, entity, timeMs, value, probability, anomaly, version }: Prediction): Promise<Sent> {
    const { topic, task, counters } = this.#options;
    const judged = anomaly === null ? {} : { anomaly };
    const message = { task, id, entity, timeMs, value, probability, ...judged, version };
    try {
      await this.#session.publish(topic, Buffer.from(JSON.stringify(message)));
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`predictions.${error.code}`);
    }
    return "done";
  }
}
