// Alerts to topics of a broker: PREFIX/TASK/KIND, QoS 1, not retained.

import type { Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Random } from "../../shared/random.js";
import { type MqttEndpoint, openMqttSession } from "../../shared/transport/mqtt-session.js";
import { isTopic } from "../../shared/transport/topic-filter.js";
import { formatAlert } from "./alert.js";
import type { AlertWay } from "./delivery.js";

export interface TopicOptions {
  readonly endpoint: MqttEndpoint;
  readonly prefix: string;
  readonly task: TaskId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Connects until closed. Throws `config-invalid` for what can never be connected or published to. */
export function createTopic({ prefix, task, ...rest }: TopicOptions): AlertWay {
  const topic = `${prefix}/${task}`;
  if (!isTopic(topic) || prefix === "" || prefix.endsWith("/")) {
    throw new HeadwaterError(
      "config-invalid",
      `alert topic ${JSON.stringify(prefix)} is no topic such as plant/alerts`,
    );
  }
  const session = openMqttSession({
    ...rest,
    clientId: `headwater-${task}-alerts`,
    subscriptions: [],
    onConnected: () => undefined,
    onDisconnected: () => undefined,
    onMessage: async () => undefined,
  });
  return {
    name: "mqtt",
    place: `${rest.endpoint.url} ${topic}`,
    // It bounds the wait for its acknowledgement itself.
    send: async (alert) => {
      await session.publish(`${topic}/${alert.kind}`, Buffer.from(formatAlert(alert)));
      return { ok: true };
    },
    close: () => session.close(),
  };
}
