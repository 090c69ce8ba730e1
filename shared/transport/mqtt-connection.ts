// One connection to a broker, from CONNECT until it is gone. Each has an mqtt.js client of its own, so that nothing
// of an old connection is ever sent again: what was in flight is the caller's to repeat.

import { Socket } from "node:net";
import { connect, type IPublishPacket, type MqttClient } from "mqtt";
import { writeToStream } from "mqtt-packet";
import type { Clock } from "../clock.js";
import { type MqttEndpoint, parseEndpoint } from "./mqtt-endpoint.js";
import { PacketGauge } from "./packet-gauge.js";
import type { Delivery, Will } from "./port.js";
import { type ReceiveLimits, ReceiveWindow } from "./receive-window.js";
import type { Outbound } from "./send-window.js";

export interface MqttConnectionOptions {
  readonly endpoint: MqttEndpoint;
  readonly clientId: string;
  readonly keepaliveMs: number;
  readonly will: Will | undefined;
  readonly subscriptions: readonly string[];
  /** The broker keeps the subscriptions, and messages for them, while there is no connection (3.1.2.4). */
  readonly isPersistent: boolean;
  /** Undefined: one message at a time. */
  readonly receive: ReceiveLimits | undefined;
  readonly clock: Clock;
  /** Connected, and subscribed to everything. */
  readonly onReady: () => void;
  /** The PUBACK follows the promise, and so does the next packet of any kind unless `receive` allows more. Never rejects. */
  readonly onMessage: (message: Delivery) => Promise<void>;
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

// Otherwise mqtt.js keeps two bytes for each of the 65,536 numbers a packet may hold: 8 MB of a process, for one
// small allocation less per number written.
writeToStream.cacheNumbers = false;

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
    if (options.receive === undefined) this.#receiveOne();
    else this.#receiveSeveral(options.receive);
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

  /** Ends subscriptions that the broker would keep; resolves when it has, or when there is no more hope. */
  unsubscribe(filters: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_TIMEOUT_MS, () => resolve());
      this.#client.unsubscribe([...filters], () => {
        cancel();
        resolve();
      });
    });
  }

  #receiveOne(): void {
    this.#client.handleMessage = (packet, done) => {
      void this.#options.onMessage(deliveryOf(packet, packet.qos === 0 ? 0 : 1)).then(() => done());
    };
  }

  #receiveSeveral(limits: ReceiveLimits): void {
    const client = this.#client;
    const window = new ReceiveWindow(limits, (id) => {
      if (!this.#isGone && client.stream.writable) client.stream.write(pubackOf(id));
    });
    // The client reads on after its own PUBACK only. To it they are messages without one; we send it when it is due.
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "publish" && packet.qos === 1) packet.qos = 0;
    });
    client.handleMessage = (packet, done) => {
      const id = packet.messageId;
      const delivery = deliveryOf(packet, id === undefined ? 0 : 1);
      const handled = this.#options.onMessage(delivery);
      // What needs no acknowledgement cannot be held back: its receiver drops what is too much.
      if (id === undefined) done();
      else window.post({ id, bytes: delivery.payload.length, handled }, done);
    };
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

function deliveryOf({ topic, payload, retain }: IPublishPacket, qos: 0 | 1): Delivery {
  // A copy: the packet is a view of a buffer that many packets share.
  const owned = typeof payload === "string" ? Buffer.from(payload) : new Uint8Array(payload);
  return { topic, payload: owned, retained: retain === true, qos };
}

/** A PUBACK of MQTT 3.1.1, section 3.4. */
function pubackOf(id: number): Uint8Array {
  return Uint8Array.of(0x40, 2, id >> 8, id & 0xff);
}

function createClient({
  endpoint,
  clientId,
  keepaliveMs,
  will,
  isPersistent,
}: MqttConnectionOptions): MqttClient {
  const { username, password, ca } = endpoint;
  return connect({
    ...parseEndpoint(endpoint),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1 as const } }),
    clientId,
    keepalive: Math.ceil(keepaliveMs / 1000),
    clean: !isPersistent,
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
