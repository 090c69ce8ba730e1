// Messages that have come and are not acknowledged yet. Several may be in hand at once, so that a receiver which makes
// many of them safe in one go need not do it for each; when it holds all it may, nothing more is read.

/** Most that may be in hand at once. */
export interface ReceiveLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** A message in hand. */
export interface InHand {
  readonly id: number;
  readonly bytes: number;
  /** Resolves when it may be acknowledged. Never rejects. */
  readonly handled: Promise<void>;
}

/** The window of one connection. */
export class ReceiveWindow {
  readonly #limits: ReceiveLimits;
  readonly #acknowledge: (id: number) => void;
  #messages = 0;
  #bytes = 0;
  #last: Promise<void> = Promise.resolve();
  /** Lets the next packet be read; held back while the window is full. */
  #held: (() => void) | undefined;

  constructor(limits: ReceiveLimits, acknowledge: (id: number) => void) {
    this.#limits = limits;
    this.#acknowledge = acknowledge;
  }

  /** Takes a message in hand, and calls `next` as soon as there is room for another. */
  post(message: InHand, next: () => void): void {
    this.#messages++;
    this.#bytes += message.bytes;
    this.#last = this.#settle(message, this.#last);
    if (this.#isFull) this.#held = next;
    else next();
  }

  get #isFull(): boolean {
    return this.#messages >= this.#limits.messages || this.#bytes >= this.#limits.bytes;
  }

  async #settle({ id, bytes, handled }: InHand, before: Promise<void>): Promise<void> {
    // PUBACKs go out in the order in which the messages came (MQTT 3.1.1, section 4.6).
    await before;
    await handled;
    this.#acknowledge(id);
    this.#messages--;
    this.#bytes -= bytes;
    if (this.#isFull) return;
    const next = this.#held;
    this.#held = undefined;
    next?.();
  }
}
