// An MQTT client that does exactly what a test says, wrong things included: bytes on a real socket.

import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
  type Parser,
  parser,
} from "mqtt-packet";
import { createWebSocketStream, WebSocket } from "ws";

/** Longest time anything here waits before it says what it had been waiting for. */
const PATIENCE_MS = 10_000;

type PacketOf<Command extends Packet["cmd"]> = Extract<Packet, { cmd: Command }>;

/** One socket. Does nothing by itself but remember what arrives. */
export class RawMqtt {
  /** All packets that have arrived and that `next` has not handed out. */
  readonly packets: Packet[] = [];
  isClosed = false;
  readonly #stream: Duplex;
  readonly #parser: Parser = parser();
  readonly #waiting = new Set<() => void>();
  #messageId = 0;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.#parser.on("packet", (packet: Packet) => {
      this.packets.push(packet);
      this.#changed();
    });
    stream.on("data", (bytes: Buffer) => this.#parser.parse(bytes));
    // Being cut off is what many tests are about.
    stream.on("error", () => undefined);
    stream.on("close", () => this.#closed());
    // A WebSocket stream only ends when the other side has closed it.
    stream.on("end", () => this.#closed());
  }

  /** A socket to an `mqtt://` or `ws://` address; says nothing yet. */
  static async open(url: string): Promise<RawMqtt> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol === "ws:") return new RawMqtt(createWebSocketStream(await openWebSocket(url)));
    const socket = connectTcp({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawMqtt(socket);
  }

  /** A client whose CONNECT was accepted: client id, user name and password `<name>`, or as given. */
  static async connect(url: string, name: string, changes: Partial<IConnectPacket> = {}): Promise<RawMqtt> {
    const client = await RawMqtt.open(url);
    const { returnCode } = await client.greet(name, changes);
    if (returnCode !== 0) throw new Error(`${name} was refused with return code ${returnCode}`);
    return client;
  }

  /** Sends CONNECT; resolves to the CONNACK. */
  greet(name: string, changes: Partial<IConnectPacket> = {}): Promise<IConnackPacket> {
    this.send(connectPacket(name, changes));
    return this.next("connack");
  }

  send(packet: Packet): void {
    this.write(generate(packet));
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.#stream.write(bytes);
  }

  /** Publishes; resolves at the PUBACK, at once for QoS 0. */
  async publish(
    topic: string,
    payload: Uint8Array | string,
    changes: Partial<IPublishPacket> = {},
  ): Promise<void> {
    const messageId = this.#nextId();
    const bytes = typeof payload === "string" ? payload : Buffer.from(payload);
    this.send({
      ...{ cmd: "publish", topic, payload: bytes, qos: 1, dup: false, retain: false, messageId },
      ...changes,
    });
    if ((changes.qos ?? 1) === 1) await this.next("puback", (packet) => packet.messageId === messageId);
  }

  /** Subscribes; resolves to the granted qualities of service. */
  async subscribe(...filters: readonly string[]): Promise<readonly unknown[]> {
    const messageId = this.#nextId();
    const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }));
    this.send({ cmd: "subscribe", messageId, subscriptions });
    return (await this.next("suback", (packet) => packet.messageId === messageId)).granted;
  }

  /** Takes the first packet of a kind, waiting for it; rejects when the connection ends without one. */
  async next<Command extends Packet["cmd"]>(
    command: Command,
    isMeant: (packet: PacketOf<Command>) => boolean = () => true,
  ): Promise<PacketOf<Command>> {
    const find = () =>
      this.packets.findIndex((packet) => packet.cmd === command && isMeant(packet as PacketOf<Command>));
    await this.until(() => find() >= 0 || this.isClosed, command);
    const at = find();
    if (at < 0) throw new Error(`the connection ended without ${command}`);
    return this.packets.splice(at, 1)[0] as PacketOf<Command>;
  }

  /** Resolves when the other side has ended the connection. */
  closed(): Promise<void> {
    return this.until(() => this.isClosed, "the end of the connection");
  }

  /** Waits for something that packets or the end of the connection bring about. */
  async until(condition: () => boolean, what = String(condition)): Promise<void> {
    const overdue = AbortSignal.timeout(PATIENCE_MS);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        const look = () => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
        overdue.onabort = () => reject(new Error(`waited ${PATIENCE_MS} ms for ${what}`));
      });
    }
  }

  /** From now on what arrives stays in the socket. */
  stopReading(): void {
    this.#stream.pause();
  }

  resumeReading(): void {
    this.#stream.resume();
  }

  /** Ends the connection as a failing network does. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Ends the connection as MQTT wants it (3.14). */
  async disconnect(): Promise<void> {
    this.send({ cmd: "disconnect" });
    this.#stream.end();
    await this.closed();
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 65_535) + 1;
    return this.#messageId;
  }

  #closed(): void {
    this.isClosed = true;
    this.#stream.destroy();
    this.#changed();
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** A CONNECT as a device sends it. */
export function connectPacket(name: string, changes: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 },
    ...{ clientId: name, username: name, password: Buffer.from(name) },
    ...changes,
  };
}

async function openWebSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, "mqtt");
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return socket;
}
