// One connected client.

import type { Client } from "aedes";
import { matcherOf, type TopicMatcher } from "../../shared/transport/topic-filter.js";
import type { GuardedStream } from "./guarded-stream.js";

/** A message on its way to clients. */
export interface Outgoing {
  readonly topic: string;
  /** Nobody writes to it any more. */
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  /** It was there before the client subscribed (MQTT 3.1.1, 3.3.1-8). */
  readonly isRetained: boolean;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly client: Client;
  readonly stream: GuardedStream;
  /** Most bytes received and not handled; beyond, nothing is read. */
  readonly unhandledMax: number;
}

/** A client that has authenticated, its stream and its subscriptions. */
export class Connection {
  readonly id: string;
  readonly stream: GuardedStream;
  readonly #client: Client;
  readonly #granted = new Map<string, { readonly matches: TopicMatcher; readonly qos: 0 | 1 }>();
  readonly #unhandledMax: number;
  #unhandledBytes = 0;

  constructor({ id, client, stream, unhandledMax }: ConnectionOptions) {
    this.id = id;
    this.stream = stream;
    this.#client = client;
    this.#unhandledMax = unhandledMax;
  }

  subscribe(filter: string, qos: 0 | 1): void {
    this.#granted.set(filter, { matches: matcherOf(filter), qos });
  }

  unsubscribe(filter: string): void {
    this.#granted.delete(filter);
  }

  /** Hands a message over if it was subscribed to; never waits for a client that does not read. */
  send({ topic, payload, qos, isRetained }: Outgoing): void {
    const granted = this.#grantedFor(topic);
    if (granted === undefined) return;
    // `client.publish` writes to this client alone, in order, without Aedes' emitter.
    this.#client.publish(
      {
        cmd: "publish",
        topic,
        payload: asBuffer(payload),
        qos: qos === 0 ? 0 : granted,
        retain: isRetained,
        dup: false,
      },
      () => undefined,
    );
  }

  /** Counts a message until it is handled; while too much is unhandled, nothing more is read. */
  async handling<Result>(bytes: number, handle: () => Promise<Result>): Promise<Result> {
    this.#unhandledBytes += bytes;
    if (this.#unhandledBytes > this.#unhandledMax) this.stream.hold();
    try {
      return await handle();
    } finally {
      this.#unhandledBytes -= bytes;
      if (this.#unhandledBytes <= this.#unhandledMax) this.stream.release();
    }
  }

  /** True when it has subscribed to `topic` and does not read as fast as others send. */
  isBehind(topic: string): boolean {
    return this.stream.writableNeedDrain && this.#grantedFor(topic) !== undefined;
  }

  /** Resolves when the client has caught up or is gone. */
  caughtUp(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.stream.writableNeedDrain) return resolve();
      const done = () => {
        this.stream.off("drain", done).off("close", done);
        resolve();
      };
      this.stream.on("drain", done).on("close", done);
    });
  }

  /** The best quality of service that any matching subscription was granted (3.3.5-1). */
  #grantedFor(topic: string): 0 | 1 | undefined {
    let best: 0 | 1 | undefined;
    for (const { matches, qos } of this.#granted.values()) {
      if (best !== 1 && matches(topic)) best = qos;
    }
    return best;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
