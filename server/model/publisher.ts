// What every device gets without asking: the signed task, and the word on which version to serve.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Uplink } from "../../shared/transport/port.js";
import { encodeMessage, type Release, type SignedTask } from "../../shared/wire/message.js";
import { type KeyPair, type ReleaseClaim, signRelease, signTask } from "../../shared/wire/signature.js";
import { topics } from "../../shared/wire/topic.js";

const RETRY_MS = 5_000;

export interface PublisherOptions {
  readonly task: LoadedTask;
  readonly keys: KeyPair;
  readonly uplink: Uplink;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** Publishes retained messages; what could not be published is tried again until something newer replaces it. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #retries = new Map<string, Cancel>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  async publishTask(): Promise<void> {
    const { task: loaded, keys } = this.#options;
    const { task } = loaded.task;
    const claim = { v: 1 as const, task, source: loaded.source, taskHash: loaded.taskHash };
    const signed: SignedTask = { ...claim, signature: signTask(keys.privateKey, claim) };
    await this.#retain(topics.task(task), encodeMessage(signed));
  }

  async publishRelease(parts: Omit<ReleaseClaim, "v" | "task">): Promise<void> {
    const { task: loaded, keys } = this.#options;
    const { task } = loaded.task;
    const claim = { v: 1 as const, task, ...parts };
    const release: Release = { ...claim, signature: signRelease(keys.privateKey, claim) };
    await this.#retain(topics.release(task), encodeMessage(release));
  }

  stop(): void {
    for (const cancel of this.#retries.values()) cancel();
    this.#retries.clear();
  }

  async #retain(topic: string, payload: Uint8Array): Promise<void> {
    const { uplink, clock, counters, logger } = this.#options;
    this.#retries.get(topic)?.();
    this.#retries.delete(topic);
    try {
      await uplink.retain(topic, payload);
    } catch (error) {
      counters.add("publish-failed");
      logger.warn({ topic, error: messageOf(error), retryMs: RETRY_MS }, "could not publish");
      this.#retries.set(
        topic,
        clock.after(RETRY_MS, () => void this.#retain(topic, payload)),
      );
    }
  }
}
