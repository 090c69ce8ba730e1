// What a device may do on the broker: be itself, send to the server, hear what is meant for it (docs/protocol.md,
// section 2).

import type { ConnectPacket } from "aedes";
import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import { deviceSubscriptions, parseTopic } from "../../shared/wire/topic.js";
import type { Incidents } from "./incidents.js";
import type { BrokerLimits } from "./limits.js";
import type { ConnectRefusal, Incoming, Refusal } from "./policy.js";

/** Most bytes of a presence message. */
const PRESENCE_BYTES_MAX = 64;
/** Protocol level of MQTT 3.1.1 (3.1.2.2). */
const MQTT_3_1_1 = 4;

export interface AdmissionRules {
  readonly isKnown: (device: DeviceId, password: string) => boolean;
  readonly limits: Pick<BrokerLimits, "keepaliveMaxS">;
  readonly incidents: Incidents;
}

/**
 * Why a CONNECT is refused. One without CleanSession is not: it is served as if it had it, and CONNACK says
 * truthfully that no session was there (3.2.2-3). Queues for absent clients would have no bound, and the protocol
 * asks again for all it misses.
 */
export function refuseConnect(packet: ConnectPacket, rules: AdmissionRules): ConnectRefusal | undefined {
  const { clientId, keepalive = 0, protocolVersion, will } = packet;
  const { keepaliveMaxS } = rules.limits;
  if (protocolVersion !== MQTT_3_1_1) {
    return {
      returnCode: 1,
      reason: "wrong-protocol",
      detail: `protocol level ${protocolVersion}, 4 expected`,
    };
  }
  const device = parseDeviceId(clientId);
  if (device === undefined) {
    return { returnCode: 2, reason: "bad-client-id", detail: `${JSON.stringify(clientId)} is no device id` };
  }
  if (packet.username !== clientId || !rules.isKnown(device, packet.password?.toString("utf8") ?? "")) {
    return { returnCode: 4, reason: "bad-credentials", detail: `of client ${device}` };
  }
  if (keepalive === 0 || keepalive > keepaliveMaxS) {
    const detail = `${device} asks for a keepalive of ${keepalive} s, 1 to ${keepaliveMaxS} are allowed`;
    return { returnCode: 5, reason: "bad-keepalive", detail };
  }
  const fault = will === undefined ? undefined : refusePublish(device, willOf(will));
  if (fault !== undefined) return { ...fault, returnCode: 5, detail: `will of ${device}: ${fault.detail}` };
  if (packet.clean === false) {
    rules.incidents.note(device, "session-not-kept", { detail: "CleanSession = 0 is served as 1" });
    packet.clean = true;
  }
  return undefined;
}

/** A device subscribes to exactly the protocol's filters, of any task. */
export function refuseSubscribe(device: string, filter: string): Refusal | undefined {
  const parsed = parseTopic(filter.replace(/\/\+$/, "/offer"));
  const isAllowed =
    parsed !== undefined && deviceSubscriptions(parsed.task, device as DeviceId).includes(filter);
  return isAllowed
    ? undefined
    : { reason: "forbidden-subscription", detail: `${device} subscribed ${filter}` };
}

/** A device publishes its own messages to the server, and its presence; only that may be retained. */
export function refusePublish(device: string, message: Incoming): Refusal | undefined {
  const { topic, payload, qos, isRetained } = message;
  if (qos === 2) return { reason: "qos-2", detail: `${device} published ${topic} with QoS 2` };
  const parsed = parseTopic(topic);
  const isOwn = parsed !== undefined && "device" in parsed && parsed.device === device;
  if (!isOwn || parsed.direction === "down") {
    return { reason: "forbidden-topic", detail: `${device} published ${topic}` };
  }
  if (parsed.direction === "up" && isRetained) {
    return { reason: "forbidden-retain", detail: `${device} published ${topic} as retained` };
  }
  if (parsed.direction === "presence" && payload.length > PRESENCE_BYTES_MAX) {
    const detail = `${topic}: ${payload.length} bytes, the limit is ${PRESENCE_BYTES_MAX}`;
    return { reason: "presence-too-long", detail };
  }
  return undefined;
}

function willOf(will: NonNullable<ConnectPacket["will"]>): Incoming {
  return {
    topic: will.topic,
    payload: typeof will.payload === "string" ? Buffer.from(will.payload) : will.payload,
    qos: will.qos ?? 0,
    isRetained: will.retain ?? false,
  };
}
