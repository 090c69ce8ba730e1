// Messages that came before the machine knew what time it is, and whose time is when they came: a Pi without a
// battery-backed clock runs in the past until the network tells it better. They wait, and are stamped when the clock has
// been set, by how long ago they came.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { isSane } from "./clock.js";
import type { SourceMessage } from "./sources/port.js";

/** Held at most; the oldest go first. */
const MESSAGES_MAX = 10_000;
const BYTES_MAX = 1024 * 1024;
/** How often the clock is looked at when no messages come. */
const LOOK_MS = 1000;

export interface HeldMessagesOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly release: (message: SourceMessage) => void;
}

/** A bounded queue, in memory only: what is in it when the process ends is lost. */
export class HeldMessages {
  readonly #options: HeldMessagesOptions;
  #held: { readonly message: SourceMessage; readonly elapsedMs: number }[] = [];
  #bytes = 0;
  #cancel: Cancel | undefined;

  constructor(options: HeldMessagesOptions) {
    this.#options = options;
  }

  add(message: SourceMessage): void {
    const { clock, counters } = this.#options;
    this.#held.push({ message, elapsedMs: clock.elapsed() });
    this.#bytes += message.payload.length;
    counters.add("telemetry.held");
    while (this.#held.length > MESSAGES_MAX || this.#bytes > BYTES_MAX) {
      this.#bytes -= this.#held.shift()!.message.payload.length;
      counters.add("telemetry.clock-unset");
    }
    this.#cancel ??= this.#look();
  }

  /** Lets all go, in order, once the clock has been set. */
  releaseIfSane(): void {
    const { clock, release } = this.#options;
    const nowMs = clock.now();
    if (this.#held.length === 0 || !isSane(nowMs)) return;
    const held = this.#held;
    const elapsedMs = clock.elapsed();
    this.close();
    for (const { message, elapsedMs: cameMs } of held)
      release({ ...message, arrivalMs: Math.round(nowMs - (elapsedMs - cameMs)) });
  }

  /** Forgets what is held. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#held = [];
    this.#bytes = 0;
  }

  #look(): Cancel {
    return this.#options.clock.after(LOOK_MS, () => {
      this.#cancel = undefined;
      this.releaseIfSane();
      if (this.#held.length > 0) this.#cancel = this.#look();
    });
  }
}
