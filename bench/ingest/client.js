// An MQTT client with as little between it and the socket as can be.

import { connect } from "node:net";
import { parser, writeToStream } from "mqtt-packet";
import { decodeMessage, downSchemas, encodeMessage } from "../../dist/shared/wire/message.js";
import { parseTopic, topics } from "../../dist/shared/wire/topic.js";

/** One device's connection. */
export class Client {
  #acks = new Map();
  #received = [];
  #heard = () => undefined;
  #messageId = 0;

  constructor({ id, url, task }) {
    this.id = id;
    this.url = url;
    this.task = task;
  }

  async connect() {
    this.socket = connect({ host: this.url.hostname, port: Number(this.url.port), noDelay: true });
    const packets = parser();
    packets.on("packet", (packet) => this.#receive(packet));
    this.socket.on("data", (bytes) => packets.parse(bytes));
    this.socket.on("close", () => {
      if (process.connected) throw new Error(`${this.id} lost its connection`);
    });
    await this.#request("connack", {
      ...{ cmd: "connect", clientId: this.id, username: this.id, password: Buffer.from("secret") },
      ...{ clean: true, keepalive: 60 },
    });
  }

  subscribe(filters) {
    const messageId = ++this.#messageId;
    const subscriptions = filters.map((topic) => ({ topic, qos: 1 }));
    return this.#request(messageId, { cmd: "subscribe", messageId, subscriptions });
  }

  send(kind, message) {
    const messageId = ++this.#messageId;
    const topic = topics.up(this.task, this.id, kind);
    const payload = Buffer.from(encodeMessage(message).buffer);
    return this.#request(messageId, { cmd: "publish", topic, payload, qos: 1, messageId });
  }

  /** The next message of a kind; throws away what came before it. */
  async next(kind) {
    for (;;) {
      const at = this.#received.findIndex((each) => each.kind === kind);
      if (at >= 0) return this.#received.splice(0, at + 1).at(-1).message;
      await new Promise((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  #request(key, packet) {
    return new Promise((resolve) => {
      this.#acks.set(key, resolve);
      writeToStream(packet, this.socket);
    });
  }

  #receive({ cmd, messageId, topic, payload, qos }) {
    if (cmd === "publish") {
      const { kind } = parseTopic(topic);
      if (kind !== undefined)
        this.#received.push({ kind, message: decodeMessage(downSchemas[kind], payload) });
      if (qos === 1) writeToStream({ cmd: "puback", messageId }, this.socket);
      this.#heard();
      return;
    }
    const key = cmd === "connack" ? cmd : messageId;
    this.#acks.get(key)?.();
    this.#acks.delete(key);
  }
}
