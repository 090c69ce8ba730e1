// A server in its own process, and a fleet of devices in this one that speak the whole protocol over real MQTT connections
// and learn nothing (simulator/live/light-device.ts).

import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { generate } from "mqtt-packet";
import { systemClock } from "../dist/shared/clock.js";
import { silentLogger } from "../dist/shared/log.js";
import { defineModel } from "../dist/shared/model/define.js";
import { createTfjsRuntime } from "../dist/shared/model/tfjs.js";
import { planPipeline } from "../dist/shared/pipeline/plan.js";
import { randomStream } from "../dist/shared/random.js";
import { parseTask } from "../dist/shared/task/parse.js";
import { createMqttLink } from "../dist/shared/transport/mqtt-link.js";
import { encodeMessage } from "../dist/shared/wire/message.js";
import { generateKeys } from "../dist/shared/wire/signature.js";
import { deviceSubscriptions, topics } from "../dist/shared/wire/topic.js";
import { LightDevice } from "../dist/simulator/live/light-device.js";

const PUMPS = new URL("../examples/pumps/task.yaml", import.meta.url);
const PASSWORD = "everyone-may-come-in";
/** Devices that connect at once: a fleet does not come back all in one instant. */
const BURST = 50;
/** How often the stalled device says hello. */
const NAG_MS = 2;

/** Params and feature columns of the pumps' model. */
const shape = await shapeOf(parseTask(readFileSync(PUMPS, "utf8")).task);

/** Starts a server for `count` devices; `rounds` and `evaluate` are those sections of the task, on one line. */
export async function createFleet({ count, rounds, evaluate = "{ every: 1 }" }) {
  const yaml = readFileSync(PUMPS, "utf8").replace(
    /^rounds:\n(?: .*\n)+/m,
    `rounds: ${rounds}\nevaluate: ${evaluate}\n`,
  );
  const devices = Array.from({ length: count }, (_, i) => ({ id: `device-${i + 1}`, keys: generateKeys() }));
  const child = fork(new URL("fleet-server.js", import.meta.url), { execArgv: ["--expose-gc"] });
  const toPem = ({ id, keys }) => [id, keys.publicKey.export({ type: "spki", format: "pem" })];
  child.send({ type: "serve", yaml, devices: Object.fromEntries(devices.map(toPem)) });
  const { url } = await told(child, "ready");
  return new Fleet({ child, url, devices, loaded: parseTask(yaml) });
}

class Fleet {
  /** Every receipt with the time since its update was announced. */
  receipts = [];
  /** Times of the train rounds, from opened to closed. */
  roundMs = [];
  #started = 0;

  constructor({ child, url, devices, loaded }) {
    Object.assign(this, { child, url, devices, loaded, task: loaded.task.task });
    this.finished = told(child, "finished");
    const opened = new Map();
    child.on("message", ({ type, round, kind }) => {
      if (type === "round-opened") opened.set(round, systemClock.now());
      if (type === "round-closed" && kind === "train")
        this.roundMs.push(systemClock.now() - opened.get(round));
    });
  }

  /** Connects devices until `count` are. */
  async connectUpTo(count) {
    while (this.#started < count) {
      const burst = this.devices.slice(this.#started, Math.min(count, this.#started + BURST));
      this.#started += burst.length;
      await Promise.all(burst.map((device) => this.#connectOne(device)));
    }
  }

  /** The next device connects, subscribes, keeps asking, and never reads an answer. */
  stallOne() {
    const { id } = this.devices[this.#started++];
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(this.url).port) });
    socket.on("error", () => undefined);
    const identity = { clientId: id, username: id, password: PASSWORD, keepalive: 60 };
    socket.write(
      generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, ...identity }),
    );
    const subscriptions = deviceSubscriptions(this.task, id).map((topic) => ({ topic, qos: 1 }));
    socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions }));
    this.#nag(socket, { topic: topics.up(this.task, id, "hello"), payload: Buffer.from(this.#hello()) });
  }

  /** The server's resident memory, after it has collected its garbage. */
  async residentBytes() {
    this.child.send({ type: "status" });
    return (await told(this.child, "status")).residentBytes;
  }

  async close() {
    this.child.disconnect();
    await once(this.child, "exit");
  }

  #connectOne({ id, keys }) {
    const parts = { clock: systemClock, task: this.task, device: id, keys, ...shape };
    const endpoint = { url: this.url, username: id, password: PASSWORD };
    const random = randomStream("bench", id);
    const link = createMqttLink({ endpoint, clock: systemClock, random, logger: silentLogger });
    return new Promise((resolve) => {
      const opened = { ...delegate(link), open: (options) => link.open(announcing(options, resolve)) };
      const onReceipt = (receipt) => this.receipts.push(receipt);
      new LightDevice({ ...parts, random, link: opened, onReceipt }).start();
    });
  }

  #hello() {
    const { taskHash } = this.loaded;
    const examples = { train: 1000, validation: 100 };
    return encodeMessage({
      ...{ v: 1, taskHash, stable: null, eligible: true, reason: null, examples, pending: null },
    });
  }

  #nag(socket, message) {
    let messageId = 1;
    const say = () => {
      if (socket.destroyed) return;
      messageId = (messageId % 65_000) + 1;
      socket.write(generate({ cmd: "publish", qos: 1, retain: false, dup: false, messageId, ...message }));
      systemClock.after(NAG_MS, say);
    };
    say();
  }
}

function delegate(link) {
  return {
    keepaliveMs: link.keepaliveMs,
    chunkBytes: () => link.chunkBytes(),
    publish: (...message) => link.publish(...message),
    close: () => link.close(),
  };
}

function announcing(options, onFirst) {
  const onConnected = () => {
    options.onConnected();
    onFirst();
  };
  return { ...options, onConnected };
}

/** The child's next message of a type; its end is an error. */
function told(child, wanted) {
  return new Promise((resolve, reject) => {
    const end = (code) => reject(new Error(`the server ended with ${code}`));
    const hear = (message) => {
      if (message.type !== wanted) return;
      child.off("message", hear);
      child.off("exit", end);
      resolve(message);
    };
    child.on("message", hear);
    child.on("exit", end);
  });
}

async function shapeOf(task) {
  const { columns } = planPipeline(task);
  const runtime = await createTfjsRuntime("tfjs-cpu");
  const model = await runtime.model(defineModel(task.model, columns.length));
  const params = model.spec.count;
  runtime.dispose();
  return { params, columns: columns.length };
}
