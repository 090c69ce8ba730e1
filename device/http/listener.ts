// A listening socket that is wanted but not needed: when its address is taken, or not there yet, the device goes on
// without it and tries again.

import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Cancel, Clock } from "../../shared/clock.js";
import { messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** For the log: "pushed telemetry". */
  readonly what: string;
  /** What its paths are, for the log. */
  readonly paths?: readonly string[];
  /** The application, not yet listening; a new one for each attempt. */
  readonly createApp: () => FastifyInstance | Promise<FastifyInstance>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Between attempts to listen. */
const RETRY = { firstMs: 1_000, maxMs: 60_000, jitter: 0.2 } as const;

/** Listens as soon as it can, until it is closed. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #end = new AbortController();
  readonly #retry: Retry;
  #app: FastifyInstance | undefined;
  #cancelRetry: Cancel = () => undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#retry = new Retry(RETRY, options.random);
  }

  /** Where it listens, undefined while it does not. */
  get address(): AddressInfo | undefined {
    const address = this.#app?.server.address();
    return typeof address === "object" ? (address ?? undefined) : undefined;
  }

  /** Resolves after the first attempt; others follow by themselves. */
  async listen(): Promise<void> {
    const { host, port, what, paths, logger, clock, createApp } = this.#options;
    const app = await createApp();
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      if (this.#end.signal.aborted) return;
      const retryMs = this.#retry.next();
      logger.error({ host, port, retryMs, error: messageOf(error) }, `cannot listen for ${what}`);
      this.#cancelRetry = clock.after(retryMs, () => void this.listen());
      return;
    }
    if (this.#end.signal.aborted) return void (await app.close());
    this.#app = app;
    logger.info({ host, port: this.address?.port, paths }, `listening for ${what}`);
  }

  /** Ends all connections; resolves when nothing listens any more. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#cancelRetry();
    const app = this.#app;
    this.#app = undefined;
    await app?.close();
  }
}
