// An open broker for telemetry on the own machine, for quickstarts and tests: everyone may publish and subscribe
// to anything. Sensors and devices meet here; the server's broker is another one.
//
// A subscriber that reads slower than others publish holds the publishers up for a few seconds, then it is cut off.
// So a replay at full speed loses nothing, and a subscriber that has stopped reading does not stop the rest.

import type { ConnectPacket } from "aedes";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import type { Logger } from "../../shared/log.js";
import { isFilter, isTopic } from "../../shared/transport/topic-filter.js";
import type { Connection } from "./connection.js";
import { Hub } from "./hub.js";
import { Incidents } from "./incidents.js";
import { type BrokerLimits, defaultBrokerLimits } from "./limits.js";
import type { BrokerPolicy, ConnectRefusal, Incoming, Refusal } from "./policy.js";
import { Sequence } from "./sequence.js";

const limits: BrokerLimits = {
  ...defaultBrokerLimits,
  connectBytes: 64 * 1024,
  packetBytes: 1024 * 1024,
  drainTimeoutMs: 5_000,
};
/** Most topics with a retained message; on further ones nothing is retained. */
const RETAINED_MAX = 1_000;

/** Starts one; without credentials, so it should stay on loopback. Rejects with `address-unusable`. */
export async function startTelemetryBroker(options: {
  readonly host?: string;
  readonly port?: number;
  readonly logger: Logger;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { host = "127.0.0.1", port = 0, logger } = options;
  const incidents = new Incidents(new Counters(), logger);
  const delivery = new Delivery(incidents);
  const policy: BrokerPolicy = {
    ...{ refuseConnect: createGreeting(), refuseSubscribe, refusePublish },
    handle: (connection, message) => delivery.handle(connection, message, hub),
  };
  const listeners = [{ kind: "tcp", host, port }] as const;
  const hub = await Hub.open({ listeners, policy, limits, clock: systemClock, incidents, logger });
  return { url: hub.urls[0]!, close: () => hub.close() };
}

/** From publishers to subscribers. */
class Delivery {
  readonly #incidents: Incidents;
  readonly #retainedTopics = new Set<string>();
  readonly #sequence = new Sequence<Connection>();

  constructor(incidents: Incidents) {
    this.#incidents = incidents;
  }

  /** Resolves when the message has been handed over, after the publisher's earlier ones. */
  handle(publisher: Connection, message: Incoming, hub: Hub): Promise<void> {
    return this.#sequence.run(publisher, async () => {
      const { topic, payload } = message;
      const behind = [...hub.connections.values()].filter((connection) => connection.isBehind(topic));
      // Ends, because one that does not catch up in time is cut off.
      for (const connection of behind) await connection.caughtUp();
      if (message.isRetained && this.#mayRetain(topic, payload)) hub.retain(topic, payload);
      else hub.publish(topic, payload, message.qos === 0 ? 0 : 1);
    });
  }

  #mayRetain(topic: string, payload: Uint8Array): boolean {
    if (payload.length === 0) {
      this.#retainedTopics.delete(topic);
      return true;
    }
    const hasRoom = this.#retainedTopics.has(topic) || this.#retainedTopics.size < RETAINED_MAX;
    if (hasRoom) this.#retainedTopics.add(topic);
    else this.#incidents.note(undefined, "not-retained", { topic, limit: RETAINED_MAX });
    return hasRoom;
  }
}

/** Everyone is welcome; who has no name gets one (3.1.3-6). No session is kept (3.2.2-3). */
function createGreeting(): (packet: ConnectPacket) => ConnectRefusal | undefined {
  let visitors = 0;
  return (packet) => {
    const { protocolVersion } = packet;
    if (protocolVersion !== 4) {
      return { returnCode: 1, reason: "wrong-protocol", detail: `level ${protocolVersion}, 4 expected` };
    }
    if (packet.clientId === "") packet.clientId = `visitor-${++visitors}`;
    packet.clean = true;
    return undefined;
  };
}

function refuseSubscribe(clientId: string, filter: string): Refusal | undefined {
  const isFine = isFilter(filter) && !filter.startsWith("$");
  return isFine
    ? undefined
    : { reason: "forbidden-subscription", detail: `${clientId} subscribed ${filter}` };
}

function refusePublish(clientId: string, { topic, qos }: Incoming): Refusal | undefined {
  if (qos === 2) return { reason: "qos-2", detail: `${clientId} published ${topic} with QoS 2` };
  const isFine = isTopic(topic) && !topic.startsWith("$");
  return isFine ? undefined : { reason: "forbidden-topic", detail: `${clientId} published ${topic}` };
}
