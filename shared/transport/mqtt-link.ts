// A device's link over MQTT: the session's connection under the device's own name.

import { assert } from "../assert.js";
import type { Clock } from "../clock.js";
import type { Logger } from "../log.js";
import type { Random } from "../random.js";
import { parseEndpoint } from "./mqtt-endpoint.js";
import { KEEPALIVE_MS, type MqttEndpoint, type MqttSession, openMqttSession } from "./mqtt-session.js";
import { Pace } from "./pace.js";
import type { Link, LinkOptions, PublishOptions } from "./port.js";
import { closedError } from "./send-window.js";

export interface MqttLinkOptions {
  /** Its username is the device id (docs/protocol.md, section 2). */
  readonly endpoint: MqttEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Whole seconds; 60 s if absent. */
  readonly keepaliveMs?: number;
  /** How long a publish waits for its acknowledgement on a good link; 30 s if absent. */
  readonly ackTimeoutMs?: number;
}

/** A link that connects when it is opened; throws `config-invalid` for an endpoint that can never work. */
export function createMqttLink(options: MqttLinkOptions): Link {
  parseEndpoint(options.endpoint);
  return new MqttLink(options);
}

class MqttLink implements Link {
  readonly keepaliveMs: number;
  readonly #options: MqttLinkOptions;
  readonly #startBytes: number;
  #session: MqttSession | undefined;
  #isClosed = false;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.keepaliveMs = options.keepaliveMs ?? KEEPALIVE_MS;
    this.#startBytes = new Pace(this).chunkBytes;
  }

  open({ clientId, subscriptions, will, onConnected, onDisconnected, onMessage }: LinkOptions): void {
    assert(this.#session === undefined && !this.#isClosed, `link of ${clientId} is opened twice`);
    this.#session = openMqttSession({
      ...this.#options,
      clientId,
      subscriptions,
      ...(will === undefined ? {} : { will }),
      onConnected,
      onDisconnected,
      onMessage: async ({ topic, payload, retained }) => onMessage({ topic, payload, retained }),
    });
  }

  chunkBytes(): number {
    return this.#session?.pace.chunkBytes ?? this.#startBytes;
  }

  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void> {
    if (this.#session === undefined) return Promise.reject(closedError(topic));
    return this.#session.publish(topic, payload, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.close();
  }
}
