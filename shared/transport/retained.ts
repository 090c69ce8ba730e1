// What the broker keeps for those who subscribe later: the last retained message of each topic.

import type { TopicPayload } from "./session.js";
import { matcherOf } from "./topic-filter.js";

/** Retained messages (MQTT 3.1.1, section 3.3.1.3). */
export class RetainedStore {
  readonly #payloads = new Map<string, Uint8Array>();

  /** Keeps a copy of the message; an empty payload clears its topic (3.3.1-10, 3.3.1-11). */
  keep({ topic, payload }: TopicPayload): void {
    if (payload.length === 0) this.#payloads.delete(topic);
    else this.#payloads.set(topic, new Uint8Array(payload));
  }

  /** What a new subscriber of these filters is sent: each message once, oldest topic first. */
  matching(filters: readonly string[]): readonly TopicPayload[] {
    const matchers = filters.map(matcherOf);
    return [...this.#payloads]
      .filter(([topic]) => matchers.some((matches) => matches(topic)))
      .map(([topic, payload]) => ({ topic, payload }));
  }
}
