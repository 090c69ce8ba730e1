// One source's messages on their way to the sink: how many there may be, and how fast they go.

import { type Clock, sleep } from "../../../shared/clock.js";
import { RateLimit } from "../../../shared/rate-limit.js";
import type { SourceLimits } from "./binding.js";
import type { MessageSink, SourceMessage } from "./port.js";

export interface SourceQueueOptions {
  readonly limits: SourceLimits;
  readonly sink: MessageSink;
  readonly clock: Clock;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

/** A source's queue. It refuses nothing by itself: whoever fills it asks first, or waits for what it posted. */
export class SourceQueue {
  readonly #options: SourceQueueOptions;
  readonly #rate: RateLimit;
  #messages = 0;
  #bytes = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: SourceQueueOptions) {
    const { rate: perSecond, burst } = options.limits;
    this.#options = options;
    this.#rate = new RateLimit({ perSecond, burst });
  }

  /** Whether so much more may be posted. */
  hasRoom(bytes: number, messages = 1): boolean {
    const { limits } = this.#options;
    // What is larger than the whole queue has it for itself.
    if (this.#messages === 0) return true;
    return this.#messages + messages <= limits.messages && this.#bytes + bytes <= limits.bytes;
  }

  /** 0 when so many may be handed on at once, which are counted; otherwise how long until they may. */
  claim(messages = 1): number {
    return this.#rate.take(this.#options.clock.now(), messages);
  }

  /** Hands a message on when the rate allows, after those before it. False: the source ended before it was safe. */
  async post(message: SourceMessage): Promise<boolean> {
    return this.#hold(message, async () => {
      const before = this.#turn;
      this.#turn = before.then(() => this.#waitForRate());
      await this.#turn;
    });
  }

  /** As `post`, for what was claimed before. */
  async postClaimed(message: SourceMessage): Promise<boolean> {
    return this.#hold(message, async () => undefined);
  }

  async #hold(message: SourceMessage, waitForTurn: () => Promise<void>): Promise<boolean> {
    const { sink, signal } = this.#options;
    this.#messages++;
    this.#bytes += message.payload.length;
    try {
      await waitForTurn();
      if (signal.aborted) return false;
      await sink.take(message);
      return true;
    } finally {
      this.#messages--;
      this.#bytes -= message.payload.length;
    }
  }

  /** Never rejects: what comes after the end finds the signal aborted. */
  async #waitForRate(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      const waitMs = this.claim();
      if (waitMs === 0) return;
      await sleep(clock, waitMs, signal).catch(() => undefined);
    }
  }
}
