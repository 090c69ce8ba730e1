// The embedded broker: devices connect with their credentials, over TCP or WebSocket, and reach the server and
// nobody else.
//
// A device's message is handled, and then acknowledged. One that cannot be handled now (no server is there, its
// disk refused it) gets no acknowledgement, and its sender loses the connection: Aedes knows no other way to say no.
// The sender connects and sends again, as after any loss.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { messageOf } from "../../shared/error.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { Uplink } from "../../shared/transport/port.js";
import type { Connection } from "./connection.js";
import { refuseConnect, refusePublish, refuseSubscribe } from "./device-policy.js";
import { Hub } from "./hub.js";
import { Incidents } from "./incidents.js";
import { type BrokerLimits, defaultBrokerLimits } from "./limits.js";
import type { Listen } from "./listen.js";
import type { BrokerPolicy, Incoming } from "./policy.js";
import { Uplinks } from "./uplink.js";

export type { BrokerLimits } from "./limits.js";
export type { Listen } from "./listen.js";

export interface BrokerOptions {
  readonly listeners: readonly Listen[];
  /** Who may connect: client id and user name are the device id, the password is its secret. */
  readonly isKnown: (device: DeviceId, password: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Incidents are counted as `broker.<reason>`. */
  readonly counters: Counters;
  readonly limits?: Partial<BrokerLimits>;
}

/** A running broker. */
export interface EmbeddedBroker {
  /** The server's side for one task; several tasks may share a broker. Of one task, the newest open one counts. */
  uplink(task: TaskId): Uplink;
  /** Where it listens, in the order asked for, with the ports it got. */
  readonly urls: readonly string[];
  /** Bytes on all sockets so far: up from devices, down to them. */
  readonly traffic: { readonly up: number; readonly down: number };
  /** Devices connected now. */
  readonly connections: number;
  /** Cuts a device off; it may connect again. */
  disconnect(device: DeviceId): void;
  /** Stops listening, lets running handlers end (bounded), then ends all connections. */
  close(): Promise<void>;
}

/** Starts a broker. Rejects with `address-unusable`, naming host and port. */
export async function startBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const { listeners, clock, isKnown, logger } = options;
  const limits = { ...defaultBrokerLimits, ...options.limits };
  const incidents = new Incidents(options.counters, logger);
  const uplinks = new Uplinks({
    send: (device, topic, payload) =>
      // A copy: it is written later, and the bytes are the caller's.
      hub.connections
        .get(device)
        ?.send({ topic, payload: new Uint8Array(payload), qos: 1, isRetained: false }),
    retain: (topic, payload) => hub.retain(topic, payload),
  });
  const policy: BrokerPolicy = {
    refuseConnect: (packet) => refuseConnect(packet, { isKnown, limits, incidents }),
    refuseSubscribe,
    refusePublish,
    handle: (connection, message) => handle(connection, message, { uplinks, incidents }),
  };
  const hub = await Hub.open({ listeners, policy, limits, clock, incidents, logger });
  return {
    uplink: (task) => uplinks.create(task),
    urls: hub.urls,
    get traffic() {
      return hub.traffic;
    },
    get connections() {
      return hub.connections.size;
    },
    disconnect: (device) => hub.connections.get(device)?.stream.destroy(),
    close: () => hub.close(),
  };
}

async function handle(
  { id }: Connection,
  { topic, payload }: Incoming,
  { uplinks, incidents }: { readonly uplinks: Uplinks; readonly incidents: Incidents },
): Promise<void> {
  // Admission has parsed it.
  const clientId = id as DeviceId;
  try {
    await uplinks.handle(clientId, { topic, payload, clientId });
  } catch (error) {
    incidents.note(clientId, "not-handled", { topic, error: messageOf(error) });
    throw error;
  }
}
