// MQTT as two ports: the device's link to a broker, and the server's uplink. QoS 1 throughout: a message
// arrives at least once while both ends stay connected, and not at all or several times when they do not.

import type { DeviceId } from "../id.js";

/** One MQTT message. `payload` belongs to the receiver. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Set on what the broker had kept from before the subscription. */
  readonly retained: boolean;
}

/** A message with how it was delivered: at most once (0), or again until it is acknowledged (1). */
export interface Delivery extends Message {
  readonly qos: 0 | 1;
}

/** What the broker publishes for a client that vanishes (MQTT 3.1.1, 3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

/** What a device wants from its link. Handlers never throw. */
export interface LinkHandlers {
  /** Connected and subscribed. Called again after every reconnect. */
  readonly onConnected: () => void;
  readonly onDisconnected: () => void;
  readonly onMessage: (message: Message) => void;
}

/** A device's connection: clean session, client id = device id, reconnects by itself until closed. */
export interface Link {
  open(options: LinkOptions): void;
  /** Most time between two packets before either side gives the connection up (3.1.2.10); 0: it never does. */
  readonly keepaliveMs: number;
  /** Most bytes of data one message should carry now, by how fast acknowledgements come back. */
  chunkBytes(): number;
  /** Copies the payload at once. Resolves at the broker's PUBACK; rejects with `transport-closed` or `transport-timeout`. */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /** Disconnects for good; the will is not published. */
  close(): Promise<void>;
}

export interface LinkOptions extends LinkHandlers {
  readonly clientId: DeviceId;
  readonly subscriptions: readonly string[];
  readonly will?: Will;
}

export interface PublishOptions {
  readonly retain?: boolean;
}

/** A message from a device; `clientId` is who the broker says published it, undefined where it cannot tell. */
export interface UplinkMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly clientId: DeviceId | undefined;
}

/** The server's side of the broker. */
export interface Uplink {
  /**
   * Starts delivery. The broker acknowledges a message when the handler's promise resolves; when it rejects,
   * the sender gets no acknowledgement and will send again. Handlers are called one at a time per device.
   */
  open(handler: (message: UplinkMessage) => Promise<void>): void;
  /** Copies the payload at once, and sends to one device if it is connected. Resolves when handed over, not when it arrived. */
  send(deviceId: DeviceId, topic: string, payload: Uint8Array): Promise<void>;
  /** Publishes a retained message for everyone. */
  retain(topic: string, payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
