// The server's uplink as a client of a broker that is not ours. Such a broker does not say who published, and its
// acknowledgement to a device does not wait for us: what the server could not handle, the device says again.

import { assert } from "../assert.js";
import type { Cancel, Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { HeadwaterError } from "../error.js";
import type { DeviceId, TaskId } from "../id.js";
import type { Logger } from "../log.js";
import type { Random } from "../random.js";
import { parseTopic, uplinkSubscriptions } from "../wire/topic.js";
import { DeviceLanes, type LaneLimits } from "./device-lanes.js";
import { parseEndpoint } from "./mqtt-endpoint.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "./mqtt-session.js";
import type { Message, PublishOptions, Uplink, UplinkMessage } from "./port.js";
import { closedError } from "./send-window.js";

export interface MqttUplinkOptions {
  readonly endpoint: MqttEndpoint;
  readonly task: TaskId;
  /** `server-<task>` if absent. Two servers of one id push each other out. */
  readonly clientId?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Whole seconds; 60 s if absent. */
  readonly keepaliveMs?: number;
  readonly ackTimeoutMs?: number;
  readonly limits?: Partial<LaneLimits>;
}

/** An uplink that may be without its broker for a while. */
export interface MqttUplink extends Uplink {
  readonly isConnected: boolean;
}

/** An uplink that connects when it is opened; throws `config-invalid` for an endpoint that can never work. */
export function createMqttUplink(options: MqttUplinkOptions): MqttUplink {
  parseEndpoint(options.endpoint);
  return new SessionUplink(options);
}

/** Where messages of nobody in particular go. */
const NOBODY = "?";
/** After a retained message that the broker did not acknowledge. */
const RETAIN_RETRY_MS = 5_000;

class SessionUplink implements MqttUplink {
  readonly #options: MqttUplinkOptions;
  /** What it retains, said again on every new connection: brokers forget. Empty payloads clear a topic. */
  readonly #retained = new Map<string, Uint8Array>();
  #session: MqttSession | undefined;
  #lanes: DeviceLanes | undefined;
  #cancelRetain: Cancel = () => undefined;
  #isClosed = false;

  constructor(options: MqttUplinkOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#session?.isConnected ?? false;
  }

  open(handler: (message: UplinkMessage) => Promise<void>): void {
    assert(this.#session === undefined && !this.#isClosed, "an uplink is opened once");
    const { task, clientId = `server-${task}`, counters, limits = {} } = this.#options;
    const lanes = new DeviceLanes({ handle: handler, counters, limits });
    this.#lanes = lanes;
    this.#session = openMqttSession({
      ...this.#options,
      clientId,
      subscriptions: uplinkSubscriptions(task),
      onConnected: () => this.#retainAgain(),
      onDisconnected: () => undefined,
      onMessage: (message) => lanes.post(deviceOf(message), { ...withoutFlag(message), clientId: undefined }),
    });
  }

  /**
   * Resolves when the message is in the queue of a connection. It must not wait for the broker: handlers that wait
   * stop reading, and the acknowledgement would never be read.
   */
  async send(_deviceId: DeviceId, topic: string, payload: Uint8Array): Promise<void> {
    if (!this.isConnected) throw closedError(topic);
    this.#publish(topic, payload, {});
  }

  /** As `send`; without a connection it is published with the next one. */
  async retain(topic: string, payload: Uint8Array): Promise<void> {
    if (this.#isClosed) throw closedError(topic);
    this.#retained.set(topic, new Uint8Array(payload));
    if (this.isConnected) this.#publish(topic, payload, { retain: true });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetain();
    this.#lanes?.close();
    await this.#session?.close();
  }

  #publish(topic: string, payload: Uint8Array, options: PublishOptions): void {
    this.#session?.publish(topic, payload, options).catch((error: unknown) => {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`uplink.${error.code}`);
      // A connection that went is followed by another, and that by everything retained.
      if (options.retain === true && error.code === "transport-timeout") this.#retainLater();
    });
  }

  #retainLater(): void {
    this.#cancelRetain();
    this.#cancelRetain = this.#options.clock.after(RETAIN_RETRY_MS, () => this.#retainAgain());
  }

  #retainAgain(): void {
    for (const [topic, payload] of this.#retained) this.#publish(topic, payload, { retain: true });
  }
}

function deviceOf({ topic }: Message): string {
  const parsed = parseTopic(topic);
  return parsed !== undefined && "device" in parsed ? parsed.device : NOBODY;
}

function withoutFlag({ topic, payload }: Message) {
  return { topic, payload };
}
