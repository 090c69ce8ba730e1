// One MQTT client identity: connects, comes back after every loss with growing, jittered waits, and bounds what is
// on its way. Clean sessions unless asked otherwise: a new connection knows nothing of the one before.

import { assert } from "../assert.js";
import type { Cancel, Clock } from "../clock.js";
import type { Logger } from "../log.js";
import type { Random } from "../random.js";
import { Retry } from "../retry.js";
import { ConnectionLog } from "./connection-log.js";
import { type ConnectionEnd, MqttConnection } from "./mqtt-connection.js";
import { type MqttEndpoint, parseEndpoint } from "./mqtt-endpoint.js";
import { Pace } from "./pace.js";
import type { Delivery, PublishOptions, Will } from "./port.js";
import type { ReceiveLimits } from "./receive-window.js";
import { closedError, SendWindow } from "./send-window.js";
import { isFilter, isTopic } from "./topic-filter.js";

export type { MqttEndpoint } from "./mqtt-endpoint.js";

export interface MqttSessionOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Whole seconds; 60 s if absent. */
  readonly keepaliveMs?: number;
  /** How long a publish waits for its acknowledgement on a good link; 30 s if absent. */
  readonly ackTimeoutMs?: number;
  readonly will?: Will;
  readonly subscriptions: readonly string[];
  /** The broker keeps QoS 1 messages for this client id while it is away; false if absent. */
  readonly isPersistent?: boolean;
  /** Messages in hand at once; one if absent. QoS 0 is not bounded by it: the receiver drops what is too much. */
  readonly receive?: ReceiveLimits;
  /** Connected and subscribed, after every reconnect. A broker may deliver messages just before (3.8.4). */
  readonly onConnected: () => void;
  readonly onDisconnected: () => void;
  /**
   * The PUBACK waits for the promise. So does every later packet, pings included, once `receive` is reached: return
   * quickly. Never rejects: a fault of the receiver is the receiver's to handle. The payload belongs to the receiver.
   */
  readonly onMessage: (message: Delivery) => Promise<void>;
}

/** Open until closed; connected now and then. */
export interface MqttSession {
  readonly isConnected: boolean;
  /** Of what it publishes. */
  readonly pace: Pace;
  /**
   * Publishes with QoS 1; the payload may be written to again at once. Resolves at the PUBACK; rejects with
   * `transport-closed` when there is no connection or it goes, with `transport-timeout` when no PUBACK comes or too
   * much is waiting.
   */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /** Ends subscriptions that a persistent session would keep. Resolves at once without a connection, and soon with one. */
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Disconnects for good, without a will. No handler is called afterwards. */
  close(): Promise<void>;
}

/** The keepalive of a session that names none. */
export const KEEPALIVE_MS = 60_000;
const ACK_TIMEOUT_MS = 30_000;
const RETRY = { firstMs: 1_000, maxMs: 60_000, jitter: 1 } as const;
/** After a refusal: somebody has to do something first. */
const REFUSED_RETRY = { firstMs: 15_000, maxMs: 300_000, jitter: 1 } as const;
/** A connection that lasts this long was a good one: the next loss is a new story. */
const STEADY_MS = 5_000;

/** Starts connecting; throws `config-invalid` when that can never work. */
export function openMqttSession(options: MqttSessionOptions): MqttSession {
  parseEndpoint(options.endpoint);
  assert(options.subscriptions.every(isFilter), `a subscription of ${options.clientId} is no topic filter`);
  return new Session(options);
}

class Session implements MqttSession {
  readonly pace: Pace;
  readonly #options: MqttSessionOptions;
  readonly #keepaliveMs: number;
  readonly #retry: Retry;
  readonly #refusedRetry: Retry;
  readonly #log: ConnectionLog;
  #connection: MqttConnection | undefined;
  /** There while connected. */
  #window: SendWindow | undefined;
  #cancelTimer: Cancel = () => undefined;
  #isClosed = false;

  constructor(options: MqttSessionOptions) {
    const { keepaliveMs = KEEPALIVE_MS, random, logger, endpoint, clientId } = options;
    this.#options = options;
    this.#keepaliveMs = keepaliveMs;
    this.pace = new Pace({ keepaliveMs });
    this.#retry = new Retry(RETRY, random);
    this.#refusedRetry = new Retry(REFUSED_RETRY, random);
    this.#log = new ConnectionLog(logger.child({ broker: endpoint.url, clientId }));
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#window !== undefined;
  }

  publish(topic: string, payload: Uint8Array, { retain = false }: PublishOptions = {}): Promise<void> {
    assert(isTopic(topic), `${topic} is no topic to publish to`);
    if (this.#window === undefined) return Promise.reject(closedError(topic));
    return this.#window.post({ topic, payload: Buffer.from(payload), retain });
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    if (this.isConnected && filters.length > 0) await this.#connection?.unsubscribe(filters);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#closeWindow();
    await this.#connection?.close();
  }

  #connect(): void {
    const { endpoint, clientId, will, subscriptions, isPersistent = false, receive } = this.#options;
    const { clock, onMessage } = this.#options;
    this.#connection = new MqttConnection({
      ...{ endpoint, clientId, will, subscriptions, isPersistent, receive, clock },
      keepaliveMs: this.#keepaliveMs,
      onReady: () => this.#ready(),
      // What is still in the buffers of a session that was closed is nobody's any more.
      onMessage: (message) => (this.#isClosed ? new Promise<void>(() => undefined) : onMessage(message)),
      onGone: (end) => this.#gone(end),
    });
  }

  #ready(): void {
    const { clock, ackTimeoutMs = ACK_TIMEOUT_MS, onConnected } = this.#options;
    const connection = this.#connection;
    if (this.#isClosed || connection === undefined) return;
    this.#window = new SendWindow({
      pace: this.pace,
      clock,
      ackTimeoutMs,
      send: (message, onAcknowledged) => connection.send(message, onAcknowledged),
    });
    this.#cancelTimer = clock.after(STEADY_MS, () => this.#steady());
    this.#log.connected();
    onConnected();
  }

  #steady(): void {
    this.#retry.reset();
    this.#refusedRetry.reset();
    this.#log.steady();
  }

  #gone({ reason, isRefused }: ConnectionEnd): void {
    this.#cancelTimer();
    this.#connection = undefined;
    const wasConnected = this.isConnected;
    this.#closeWindow();
    if (this.#isClosed) return;
    const retryMs = (isRefused ? this.#refusedRetry : this.#retry).next();
    this.#log.failed({ reason, isRefused, wasConnected, retryMs });
    this.#cancelTimer = this.#options.clock.after(retryMs, () => this.#connect());
    if (!wasConnected) return;
    this.pace.reconnect();
    this.#options.onDisconnected();
  }

  #closeWindow(): void {
    const window = this.#window;
    this.#window = undefined;
    window?.close();
  }
}
