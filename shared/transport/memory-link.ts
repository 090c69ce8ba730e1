// A device's connection to the memory broker: connects, reconnects with back-off, bounds what is in flight.

import { assert } from "../assert.js";
import type { Clock } from "../clock.js";
import { HeadwaterError } from "../error.js";
import { CHUNK_BYTES_MAX } from "./pace.js";
import type { Link, LinkOptions, PublishOptions } from "./port.js";
import { Session, type TopicPayload } from "./session.js";
import { isFilter } from "./topic-filter.js";

/** Bounds of one client's connection. */
export interface LinkLimits {
  /** Most publishes without an acknowledgement; one more is refused with `transport-timeout`. */
  readonly inFlight: number;
  /** Most messages under way in one direction; one more ends the connection. */
  readonly queue: number;
  /** How long a publish waits for its acknowledgement. */
  readonly ackTimeoutMs: number;
  /** From CONNECT to subscribed. */
  readonly connectMs: number;
  /** The wait before the first new attempt; doubles with each failure, up to the longest. */
  readonly reconnectMs: number;
  readonly reconnectMaxMs: number;
}

/** What a link needs of its broker. */
export interface LinkHost {
  readonly clock: Clock;
  readonly limits: LinkLimits;
  /** Makes this the client's one connection; false when the client cannot be reached. */
  admit(session: Session): boolean;
  /** Sends what the broker retains for the session's subscriptions. */
  sendRetained(session: Session): void;
  /** Takes a message under way, and its bytes; calls `acknowledge` for every PUBACK that comes back. */
  receive(
    session: Session,
    message: TopicPayload & { readonly retain: boolean },
    acknowledge: () => void,
  ): void;
  /** Ends the connection; an abrupt end publishes its will. */
  drop(session: Session, end: { readonly abrupt: boolean }): void;
}

/** A link that can also die like a process does. */
export interface MemoryLink extends Link {
  /** The process is gone: its handlers are never called again, its will is published, publishes reject. */
  abandon(): void;
}

/** Ends the wait of one publish, the first time it is called: acknowledged, or failed. */
type Settle = (error?: HeadwaterError) => void;

/** A link on `host`, not connected before `open`. */
export function createMemoryLink(host: LinkHost): MemoryLink {
  return new HostedLink(host);
}

class HostedLink implements MemoryLink {
  /** In memory nothing starves a ping, so nothing needs to be paced. */
  readonly keepaliveMs = 0;
  readonly #host: LinkHost;
  readonly #unacknowledged = new Set<Settle>();
  #options: LinkOptions | undefined;
  #session: Session | undefined;
  #isClosed = false;
  #failures = 0;

  constructor(host: LinkHost) {
    this.#host = host;
  }

  open(options: LinkOptions): void {
    assert(this.#options === undefined, `link of ${options.clientId} is opened twice`);
    assert(options.subscriptions.every(isFilter), `a subscription of ${options.clientId} is no topic filter`);
    this.#options = options;
    this.#connectAfter(this.#host.limits.connectMs);
  }

  chunkBytes(): number {
    return CHUNK_BYTES_MAX;
  }

  async publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw closedError(topic);
    const { inFlight } = this.#host.limits;
    if (this.#unacknowledged.size >= inFlight) {
      throw new HeadwaterError(
        "transport-timeout",
        `${topic}: ${inFlight} publishes are in flight, the limit`,
      );
    }
    const acknowledged = new Promise<void>((resolve, reject) => {
      const settle = this.#awaitAck(topic, (error) => (error === undefined ? resolve() : reject(error)));
      // The receiver owns what arrives, so what leaves is a copy.
      const message = { topic, payload: new Uint8Array(payload), retain: options.retain === true };
      this.#host.receive(session, message, settle);
    });
    await acknowledged;
  }

  async close(): Promise<void> {
    this.#shut({ abrupt: false });
  }

  abandon(): void {
    this.#shut({ abrupt: true });
  }

  #shut(end: { readonly abrupt: boolean }): void {
    this.#isClosed = true;
    if (this.#session !== undefined) this.#host.drop(this.#session, end);
  }

  #awaitAck(topic: string, done: Settle): Settle {
    const { clock, limits } = this.#host;
    const settle: Settle = (error) => {
      if (!this.#unacknowledged.delete(settle)) return;
      cancel();
      done(error);
    };
    const cancel = clock.after(limits.ackTimeoutMs, () => settle(timeoutError(topic, limits.ackTimeoutMs)));
    this.#unacknowledged.add(settle);
    return settle;
  }

  #connectAfter(delayMs: number): void {
    this.#host.clock.after(delayMs, () => {
      if (!this.#isClosed) this.#connect();
    });
  }

  #connect(): void {
    const options = this.#options;
    assert(options !== undefined, "a link connects after it was opened");
    const { clock, limits } = this.#host;
    const session = new Session(
      options,
      { onMessage: (message) => options.onMessage(message), onEnd: () => this.#lost(session) },
      { clock, limit: limits.queue },
    );
    if (!this.#host.admit(session)) {
      this.#connectAfter(this.#backOffMs());
      return;
    }
    this.#failures = 0;
    this.#session = session;
    options.onConnected();
    // The handler may have closed the link.
    if (!session.hasEnded) this.#host.sendRetained(session);
  }

  #lost(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    for (const settle of [...this.#unacknowledged]) settle(closedError(session.clientId));
    if (this.#isClosed) return;
    this.#host.clock.after(0, () => {
      if (!this.#isClosed) session.options.onDisconnected();
    });
    this.#connectAfter(this.#backOffMs());
  }

  #backOffMs(): number {
    const { reconnectMs, reconnectMaxMs } = this.#host.limits;
    const backOffMs = Math.min(reconnectMs * 2 ** this.#failures, reconnectMaxMs);
    this.#failures++;
    return backOffMs;
  }
}

function closedError(what: string): HeadwaterError {
  return new HeadwaterError("transport-closed", `${what}: not connected to the broker`);
}

function timeoutError(topic: string, timeoutMs: number): HeadwaterError {
  return new HeadwaterError("transport-timeout", `${topic}: no acknowledgement within ${timeoutMs} ms`);
}
