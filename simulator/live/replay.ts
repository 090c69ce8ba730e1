// Recorded or generated telemetry, published as it would have come in: in order of event time, at its own pace times
// the speed, every message acknowledged.

import { type Clock, sleep } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { Task } from "../../shared/task/task.js";
import { type MqttEndpoint, type MqttSession, openMqttSession } from "../../shared/transport/mqtt-session.js";
import { type SensorMessages, sensorMessages } from "./sensor-message.js";

/** What to publish, and how. */
export interface ReplayOptions {
  readonly task: Task;
  /** Readings of each device in order of event time. */
  readonly devices: ReadonlyMap<DeviceId, readonly Reading[]>;
  readonly endpoint: MqttEndpoint;
  /** Event time that passes per time; Infinity: as fast as the broker takes it. */
  readonly speed: number;
  /** Most readings of one topic in one message, when several are due at once. Default 1. */
  readonly batch?: number;
  /** What is older than this event time is due at once, and the pace begins here; default: the first reading's. */
  readonly paceFromMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReplayProgress) => void;
}

/** How far it is. */
export interface ReplayProgress {
  readonly messages: number;
  readonly readings: number;
  readonly total: number;
  /** Event time of the newest reading published. */
  readonly eventMs: number;
}

/** How often what is due is published. */
const TICK_MS = 20;
/** Messages without their acknowledgement. */
const IN_FLIGHT_MAX = 64;
/** Most readings taken between two looks at the clock. */
const SLICE = 2_000;
const CONNECT_TIMEOUT_MS = 30_000;
const RETRY_MS = 1_000;

/** Publishes everything. Rejects with `transport-timeout` when the broker cannot be reached, `aborted` by the signal. */
export async function replay(options: ReplayOptions): Promise<ReplayProgress> {
  const { task, endpoint, clock, logger, signal } = options;
  const messages = sensorMessages(task, layOut(task).source);
  const queue = inOrder(options.devices, messages);
  const clientId = `replay-${process.pid}`;
  const session = openMqttSession({
    ...{ endpoint, clientId, clock, logger, random: randomStream("replay", clientId), subscriptions: [] },
    onConnected: () => undefined,
    onDisconnected: () => undefined,
    onMessage: async () => undefined,
  });
  try {
    await connected(session, options);
    return await new Replay(options, { session, messages, queue }).run(signal);
  } finally {
    await session.close();
  }
}

interface Due {
  readonly topic: string;
  readonly reading: Reading;
}

function inOrder(devices: ReplayOptions["devices"], { topicOf }: SensorMessages): readonly Due[] {
  const all: Due[] = [];
  for (const [device, readings] of devices) {
    for (const reading of readings) all.push({ topic: topicOf(device, reading), reading });
  }
  return all.sort((a, b) => a.reading.timeMs - b.reading.timeMs);
}

async function connected(session: MqttSession, { clock, endpoint, signal }: ReplayOptions): Promise<void> {
  const giveUpMs = clock.now() + CONNECT_TIMEOUT_MS;
  while (!session.isConnected) {
    if (clock.now() >= giveUpMs) {
      const message = `cannot reach the broker ${endpoint.url} within ${CONNECT_TIMEOUT_MS} ms`;
      throw new HeadwaterError("transport-timeout", message);
    }
    await sleep(clock, TICK_MS, signal);
  }
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #session: MqttSession;
  readonly #messages: SensorMessages;
  readonly #queue: readonly Due[];
  readonly #inFlight = new Set<Promise<void>>();
  #published = 0;
  #sent = 0;

  constructor(
    options: ReplayOptions,
    parts: {
      readonly session: MqttSession;
      readonly messages: SensorMessages;
      readonly queue: readonly Due[];
    },
  ) {
    this.#options = options;
    this.#session = parts.session;
    this.#messages = parts.messages;
    this.#queue = parts.queue;
  }

  async run(signal: AbortSignal | undefined): Promise<ReplayProgress> {
    const { clock, speed, onProgress } = this.#options;
    const paceFromMs = this.#options.paceFromMs ?? this.#queue[0]?.reading.timeMs ?? 0;
    const startMs = clock.now();
    while (this.#published < this.#queue.length) {
      const eventNowMs = speed === Infinity ? Infinity : paceFromMs + (clock.now() - startMs) * speed;
      const due = this.#takeDue(eventNowMs);
      for (const group of this.#grouped(due)) await this.#publish(group, signal);
      onProgress?.(this.#progress());
      if (due.length < SLICE) await sleep(clock, TICK_MS, signal);
    }
    await Promise.all(this.#inFlight);
    return this.#progress();
  }

  #takeDue(eventNowMs: number): readonly Due[] {
    const from = this.#published;
    let to = from;
    const most = Math.min(this.#queue.length, from + SLICE);
    while (to < most && this.#queue[to]!.reading.timeMs <= eventNowMs) to++;
    this.#published = to;
    return this.#queue.slice(from, to);
  }

  #grouped(
    due: readonly Due[],
  ): readonly { readonly topic: string; readonly readings: readonly Reading[] }[] {
    const size = this.#messages.canBatch ? (this.#options.batch ?? 1) : 1;
    const open = new Map<string, Reading[]>();
    const groups: { topic: string; readings: Reading[] }[] = [];
    for (const { topic, reading } of due) {
      let readings = open.get(topic);
      if (readings === undefined || readings.length >= size) {
        readings = [];
        open.set(topic, readings);
        groups.push({ topic, readings });
      }
      readings.push(reading);
    }
    return groups;
  }

  async #publish(
    { topic, readings }: { readonly topic: string; readonly readings: readonly Reading[] },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    while (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
    const sending = this.#send(topic, this.#messages.payloadOf(readings), signal).finally(() =>
      this.#inFlight.delete(sending),
    );
    this.#inFlight.add(sending);
    this.#sent++;
  }

  // A broker that went away comes back, or whoever started the replay ends it.
  async #send(topic: string, payload: Buffer, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      try {
        return await this.#session.publish(topic, payload);
      } catch (error) {
        if (!(error instanceof HeadwaterError)) throw error;
        await sleep(this.#options.clock, RETRY_MS, signal);
      }
    }
  }

  #progress(): ReplayProgress {
    const eventMs = this.#queue[this.#published - 1]?.reading.timeMs ?? 0;
    return { messages: this.#sent, readings: this.#published, total: this.#queue.length, eventMs };
  }
}
