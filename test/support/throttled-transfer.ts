// A device's real sending and fetching over a slow network, both at once, whatever the broker.

import { expect } from "vitest";
import { Download } from "../../device/model/download.js";
import { Outgoing } from "../../device/outgoing.js";
import { sendChunks } from "../../device/update/uploader.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import type { UpdateId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { createMqttLink } from "../../shared/transport/mqtt-link.js";
import { Pace } from "../../shared/transport/pace.js";
import type { Link, Uplink, UplinkMessage } from "../../shared/transport/port.js";
import {
  type DownMessage,
  decodeMessage,
  downSchemas,
  encodeMessage,
  type UpMessage,
  upSchemas,
} from "../../shared/wire/message.js";
import { parseTopic, topics } from "../../shared/wire/topic.js";
import { deviceId, taskId } from "./device-kit.js";
import type { BrokerUnderTest } from "./mqtt-harness.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";
import { until } from "./until.js";

const TASK = taskId("t");
const DEVICE = deviceId("pump");
/** Two million params. */
const BYTES = 8 * 1024 * 1024;
const BYTES_PER_SECOND = 256 * 1024;
const KEEPALIVE_MS = 5_000;
/** What the server offers. */
const CHUNK_BYTES = 64 * 1024;

/** How it went. */
export interface Transfer {
  readonly seconds: number;
  readonly disconnects: number;
  /** Most a chunk and a block carried, and least after the start. */
  readonly chunks: readonly number[];
  readonly blocks: readonly number[];
}

/**
 * 8 MB up in chunks and 8 MB down in blocks the device asks for, at the same time, at 256 KiB/s each way, with a
 * keepalive of 5 s. Rejects when either does not arrive whole.
 */
export async function transferThrottled(broker: BrokerUnderTest): Promise<Transfer> {
  const proxy = await startTcpProxy({ target: broker, bytesPerSecond: BYTES_PER_SECOND });
  const uplink = broker.uplink();
  const link = createMqttLink({
    endpoint: { url: `mqtt://127.0.0.1:${proxy.port}`, ...broker.credentials?.(DEVICE) },
    clock: systemClock,
    random: randomStream("test", "throttled"),
    logger: silentLogger,
    keepaliveMs: KEEPALIVE_MS,
  });
  try {
    return await transfer({ broker, uplink, link });
  } finally {
    await Promise.all([link.close(), uplink.close()]);
    await closeAll(proxy, broker);
  }
}

async function closeAll(proxy: TcpProxy, broker: BrokerUnderTest): Promise<void> {
  await proxy.close();
  await broker.close();
}

async function transfer(parts: {
  readonly broker: BrokerUnderTest;
  readonly uplink: Uplink;
  readonly link: Link;
}): Promise<Transfer> {
  const { broker, uplink, link } = parts;
  const blob = Uint8Array.from({ length: BYTES }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const server = new BlobServer(uplink, blob);
  await until(() => broker.isServing?.(uplink) ?? true);
  const startedMs = systemClock.now();
  let disconnects = 0;
  let fetch = (_: DownMessage<"block">) => {};
  await new Promise<void>((resolve) =>
    link.open({
      clientId: DEVICE,
      subscriptions: [`hw/1/${TASK}/down/${DEVICE}/+`],
      onConnected: resolve,
      onDisconnected: () => disconnects++,
      onMessage: ({ payload }) => {
        const block = decodeMessage(downSchemas.block, payload);
        if (block !== undefined) fetch(block as DownMessage<"block">);
      },
    }),
  );
  const outgoing = new Outgoing({ link, task: TASK, device: DEVICE, counters: new Counters() });
  const down = new Promise<Uint8Array>((resolve, reject) => {
    const download = new Download({
      ...{ sha256: sha256Hex(blob), bytes: BYTES, chunkBytes: CHUNK_BYTES, clock: systemClock },
      random: randomStream("test", "download"),
      pace: new Pace(link),
      get: (part) => void outgoing.send("get", { v: 1, ...part }),
      onDone: ({ bytes }) => resolve(bytes),
      onCorrupt: () => reject(new Error("the blob arrived corrupt")),
    });
    fetch = (block) => download.accept(block);
  });
  const up = sendChunks(
    {
      ...{ updateId: "u" as UpdateId, round: 1, kind: "train", baseVersion: 1, sha256: "", examples: 1 },
      ...{ chunkBytes: CHUNK_BYTES, frame: blob },
    },
    [[0, BYTES]],
    outgoing,
    new AbortController().signal,
  );
  const [fetched] = await Promise.all([down, up]);
  await until(() => server.isComplete);
  expect(Buffer.compare(fetched, blob)).toBe(0);
  expect(Buffer.compare(server.uploaded, blob)).toBe(0);
  const seconds = (systemClock.now() - startedMs) / 1000;
  return { seconds, disconnects, chunks: server.chunks, blocks: server.blocks };
}

/** Takes chunks of one upload, and serves blocks of one blob. */
class BlobServer {
  readonly uploaded = new Uint8Array(BYTES);
  readonly chunks: number[] = [];
  readonly blocks: number[] = [];
  readonly #uplink: Uplink;
  readonly #blob: Uint8Array;
  #uploadedBytes = 0;

  constructor(uplink: Uplink, blob: Uint8Array) {
    this.#uplink = uplink;
    this.#blob = blob;
    uplink.open((message) => this.#handle(message));
  }

  get isComplete(): boolean {
    return this.#uploadedBytes === BYTES;
  }

  async #handle({ topic, payload }: UplinkMessage): Promise<void> {
    const parsed = parseTopic(topic);
    if (parsed?.direction !== "up") return;
    const message = decodeMessage(upSchemas[parsed.kind], payload);
    // The schema of the topic's kind has just checked it.
    if (parsed.kind === "chunk") this.#take(message as UpMessage<"chunk">);
    if (parsed.kind === "get") await this.#serve(message as UpMessage<"get">);
  }

  #take({ offset, data }: UpMessage<"chunk">): void {
    this.uploaded.set(data, offset);
    this.#uploadedBytes += data.length;
    this.chunks.push(data.length);
  }

  async #serve({ sha256, offset, length }: UpMessage<"get">): Promise<void> {
    const data = this.#blob.subarray(offset, offset + length);
    this.blocks.push(data.length);
    const block: DownMessage<"block"> = { v: 1, sha256, offset, total: BYTES, data };
    await this.#uplink.send(DEVICE, topics.down(TASK, DEVICE, "block"), encodeMessage(block));
  }
}
