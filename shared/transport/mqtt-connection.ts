// One connection to a broker, from CONNECT until it is gone. Each has an mqtt.js client of its own, so that nothing
// of an old connection is ever sent again: what was in flight is the caller's to repeat.

import { Socket } from "node:net";
import { connect, type MqttClient } from "mqtt";
import type { Clock } from "../clock.js";
import { type MqttEndpoint, parseEndpoint } from "./mqtt-endpoint.js";
import { PacketGauge } from "./packet-gauge.js";
import type { Message, Will } from "./port.js";
import type { Outbound } from "./send-window.js";

export interface MqttConnectionOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientId: string;
  readonly keepaliveMs: number;
  readonly will: Will | undefined;
  readonly subscriptions: readonly string[];
  readonly clock: Clock;
  /** Connected, and subscribed to everything. */
  readonly onReady: () => void;
  /** The PUBACK follows the promise, and so does the next packet of any kind. Never rejects. */
  readonly onMessage: (message: Message) => Promise<void>;
  /** Called once, when the connection has ended or was never made. */
  readonly onGone: (end: ConnectionEnd) => void;
}

/** How a connection ended. */
export interface ConnectionEnd {
  readonly reason: string;
  /** The broker does not want this client (CONNACK 1, 2, 4 or 5, section 3.2.2.3): asking again soon is no use. */
  readonly isRefused: boolean;
}

/** Most bytes of one incoming packet: well above what the protocol allows, so that the receiver can count it. */
const PACKET_BYTES_MAX = 1024 * 1024;
/** From opening the socket to CONNACK. */
const CONNECT_TIMEOUT_MS = 30_000;
/** From DISCONNECT to the end of the socket. */
const CLOSE_TIMEOUT_MS = 5_000;
const REFUSALS: readonly unknown[] = [1, 2, 4, 5];

/** Connects at once. */
export class MqttConnection {
  readonly #options: MqttConnectionOptions;
  readonly #client: MqttClient;
  #end: ConnectionEnd = { reason: "the connection was closed", isRefused: false };
  #hasFailed = false;
  #isGone = false;

  constructor(options: MqttConnectionOptions) {
    this.#options = options;
    this.#client = createClient(options);
    this.#client.handleMessage = (packet, done) => {
      const { topic, payload, retain } = packet;
      // A copy: the packet is a view of a buffer that many packets share.
      const owned = typeof payload === "string" ? Buffer.from(payload) : new Uint8Array(payload);
      void options.onMessage({ topic, payload: owned, retained: retain === true }).then(() => done());
    };
    this.#client.on("connect", () => this.#subscribe());
    this.#client.on("error", (error) => this.#fail(reasonOf(error), isRefusal(error)));
    this.#client.on("close", () => this.#gone());
    this.#watchStream();
  }

  /** Publishes with QoS 1; the returned function forgets the message, so that an end need not wait for it. */
  send({ topic, payload, retain }: Outbound, onAcknowledged: () => void): () => void {
    const client = this.#client;
    client.publish(topic, payload, { qos: 1, retain }, (error) => {
      if (error === undefined || error === null) onAcknowledged();
    });
    const id = client.getLastMessageId();
    return () => void client.removeOutgoingMessage(id);
  }

  /** Says DISCONNECT, so that no will is published; resolves when the socket is closed. */
  close(): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    const client = this.#client;
    // Otherwise mqtt.js waits for their acknowledgements, for ever.
    for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id));
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_TIMEOUT_MS, () => client.stream.destroy());
      client.once("close", () => {
        cancel();
        resolve();
      });
      client.end(!client.connected);
    });
  }

  #subscribe(): void {
    const { subscriptions, onReady } = this.#options;
    if (subscriptions.length === 0) {
      onReady();
      return;
    }
    this.#client.subscribe([...subscriptions], { qos: 1 }, (error) => {
      if (this.#isGone) return;
      if (error) this.#fail(`subscription refused: ${subscriptions.join(", ")}`);
      else onReady();
    });
  }

  #watchStream(): void {
    const { stream } = this.#client;
    // Small messages must not wait for the acknowledgement of earlier ones.
    if (stream instanceof Socket) stream.setNoDelay(true);
    const gauge = new PacketGauge(PACKET_BYTES_MAX);
    stream.on("data", (bytes: Uint8Array) => {
      const excess = gauge.excess(bytes);
      if (excess !== undefined) this.#fail(`a packet of ${excess} bytes, the limit is ${PACKET_BYTES_MAX}`);
    });
  }

  #fail(reason: string, isRefused = false): void {
    // What comes after the first is its consequence.
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#end = { reason, isRefused };
    this.#client.stream.destroy();
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.onGone(this.#end);
  }
}

function createClient({ endpoint, clientId, keepaliveMs, will }: MqttConnectionOptions): MqttClient {
  const { username, password, ca } = endpoint;
  return connect({
    ...parseEndpoint(endpoint),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1 as const } }),
    clientId,
    keepalive: Math.ceil(keepaliveMs / 1000),
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    wsOptions: { maxPayload: PACKET_BYTES_MAX },
  });
}

// What several addresses of one host gave has only a code.
function reasonOf(error: Error): string {
  return error.message || ("code" in error ? String(error.code) : error.name);
}

function isRefusal(error: Error): boolean {
  return "code" in error && REFUSALS.includes(error.code);
}
