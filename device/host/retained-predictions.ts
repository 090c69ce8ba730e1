// Each entity's newest prediction under a topic of its own, which the broker keeps: whoever subscribes has it at once.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { MqttSession } from "../../shared/transport/mqtt-session.js";
import type { Prediction } from "../fact.js";
import { PublishQueue, type Sent } from "../publish-queue.js";

/** Messages on their way at once. */
const IN_FLIGHT_MAX = 16;
/** The level below the topic of predictions that says whether the device publishes. */
const AVAILABILITY = "availability";
/** UTF-8 bytes of an entity in a topic: brokers take 65,535 in all, people read fewer. */
const LEVEL_BYTES_MAX = 1024;

export interface RetainedPredictionsOptions {
  readonly session: () => MqttSession;
  /** Entities that have a topic; the one predicted longest ago makes room, and its topic is emptied. */
  readonly entities: number;
  readonly topic: string;
  readonly format: (prediction: Prediction) => string;
  readonly clock: Clock;
  /** What has no topic is counted as `predictions.retained-<reason>`. */
  readonly counters: Counters;
}

interface Message {
  readonly entity: string;
  /** Undefined: the topic is emptied. */
  readonly prediction: Prediction | undefined;
}

/** Keeps the broker's topics as they should be. Only the newest of an entity is worth sending. */
export class RetainedPredictions {
  readonly #options: RetainedPredictionsOptions;
  /** Event time of each entity's newest, the one predicted longest ago first. */
  readonly #newest = new Map<string, number>();
  readonly #queue: PublishQueue<Message>;

  constructor(options: RetainedPredictionsOptions) {
    const { clock, session, entities } = options;
    this.#options = options;
    this.#queue = new PublishQueue({
      clock,
      // Every topic, and as many that are being emptied.
      waitingMax: 2 * entities,
      inFlightMax: IN_FLIGHT_MAX,
      isConnected: () => session().isConnected,
      send: (message) => this.#send(message),
      onDropped: (reason) => {
        if (reason === "overflow") options.counters.add("predictions.retained-overflow");
      },
    });
  }

  /** Takes a prediction; one of an earlier event time than the entity's newest changes nothing. */
  take(prediction: Prediction): void {
    const { entity, timeMs } = prediction;
    const newestMs = this.#newest.get(entity);
    if (newestMs !== undefined && timeMs < newestMs) return;
    if (entityTopic(this.#options.topic, entity) === undefined) {
      this.#options.counters.add("predictions.retained-long-entity");
      return;
    }
    this.#newest.delete(entity);
    this.#newest.set(entity, timeMs);
    this.#queue.post({ entity, prediction }, entity);
    if (this.#newest.size > this.#options.entities) this.#forgetOldest();
  }

  /** The connection is back. */
  pump(): void {
    this.#queue.pump();
  }

  close(): void {
    this.#queue.close();
  }

  #forgetOldest(): void {
    const [oldest] = this.#newest.keys();
    if (oldest === undefined) return;
    this.#newest.delete(oldest);
    this.#options.counters.add("predictions.retained-forgotten");
    this.#queue.post({ entity: oldest, prediction: undefined }, oldest);
  }

  async #send({ entity, prediction }: Message): Promise<Sent> {
    const { session, topic, format } = this.#options;
    const payload = Buffer.from(prediction === undefined ? "" : format(prediction));
    try {
      await session().publish(entityTopic(topic, entity)!, payload, { retain: true });
      return "done";
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      // Unlike a message that passes by, it would be missing until the entity is predicted again.
      return "again";
    }
  }
}

/** Says whether the device publishes: "online" or "offline", retained. */
export function availabilityTopic(topic: string): string {
  return `${topic}/${AVAILABILITY}`;
}

/**
 * The topic of an entity: one level below `topic`, what a level cannot hold percent-encoded (RFC 3986, section 2.1).
 * Undefined when it is too long.
 */
export function entityTopic(topic: string, entity: string): string | undefined {
  // There and back again, half a surrogate pair has become the replacement character.
  const level = encodeURIComponent(Buffer.from(entity, "utf8").toString("utf8"));
  if (level.length > LEVEL_BYTES_MAX || level === "") return undefined;
  return level === AVAILABILITY ? `${topic}/%61${level.slice(1)}` : `${topic}/${level}`;
}
