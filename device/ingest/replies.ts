// What a protocol wants to be answered, published with restraint: whoever asks in every message is answered once.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { Lru } from "../../shared/lru.js";
import { isTopic } from "../../shared/transport/topic-filter.js";
import type { Reply } from "./decoders/port.js";

/** At most one message per topic in this time: an edge node needs a while for its births. */
const REPLY_EVERY_MS = 60_000;
const TOPICS_MAX = 1_000;

export interface RepliesOptions {
  readonly publish: (topic: string, payload: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  /** `telemetry.reply-sent`, `telemetry.reply-held-back`, `telemetry.reply-failed`. */
  readonly counters: Counters;
}

/** Publishes replies; one that fails is not sent again, because the next message will ask anew. */
export class Replies {
  readonly #options: RepliesOptions;
  readonly #sentMs = new Lru<string, number>(TOPICS_MAX);

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async send({ topic, payload }: Reply): Promise<void> {
    const { publish, clock, counters } = this.#options;
    const nowMs = clock.now();
    const sentMs = this.#sentMs.get(topic);
    // A clock that was set back must not silence us for years.
    if (!isTopic(topic) || (sentMs !== undefined && nowMs >= sentMs && nowMs < sentMs + REPLY_EVERY_MS)) {
      counters.add("telemetry.reply-held-back");
      return;
    }
    this.#sentMs.set(topic, nowMs);
    try {
      await publish(topic, payload);
      counters.add("telemetry.reply-sent");
    } catch {
      counters.add("telemetry.reply-failed");
      this.#sentMs.delete(topic);
    }
  }
}
