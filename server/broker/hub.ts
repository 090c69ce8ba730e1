// What our brokers share: listeners, clients on bounded streams, retained messages and delivery.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, sleep } from "../../shared/clock.js";
import type { Logger } from "../../shared/log.js";
import { RetainedStore } from "../../shared/transport/retained.js";
import type { Connection } from "./connection.js";
import { Door } from "./door.js";
import { Front } from "./front.js";
import type { Incidents } from "./incidents.js";
import type { BrokerLimits } from "./limits.js";
import { type Listen, type Listener, listen, type Reception } from "./listen.js";
import type { BrokerPolicy } from "./policy.js";

export interface HubOptions {
  readonly listeners: readonly Listen[];
  readonly policy: BrokerPolicy;
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly incidents: Incidents;
  readonly logger: Logger;
}

/** A broker but for its rules. */
export class Hub {
  readonly #options: HubOptions;
  readonly #door: Door;
  readonly #front: Front;
  readonly #retained = new RetainedStore();
  readonly #listeners: Listener[] = [];
  #closing: Promise<void> | undefined;

  /** A hub that listens. Rejects with `address-unusable`, and then listens nowhere. */
  static async open(options: HubOptions): Promise<Hub> {
    const hub = new Hub(options);
    await hub.#front.start();
    try {
      for (const address of options.listeners) hub.#listeners.push(await listen(address, hub.#reception()));
      return hub;
    } catch (error) {
      await hub.close();
      throw error;
    }
  }

  private constructor(options: HubOptions) {
    this.#options = options;
    this.#door = new Door({ ...options, ...options.limits });
    this.#front = new Front({
      ...options,
      door: this.#door,
      onSubscribed: (connection, filters) => this.#sendRetained(connection, filters),
    });
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /** Bytes on all sockets so far. */
  get traffic(): { readonly up: number; readonly down: number } {
    return this.#door.traffic;
  }

  /** Clients that have authenticated, by id. */
  get connections(): ReadonlyMap<string, Connection> {
    return this.#front.connections;
  }

  /** Sends to everyone who has subscribed, and keeps a copy for later subscribers; an empty payload clears it. */
  retain(topic: string, payload: Uint8Array): void {
    this.#retained.keep({ topic, payload });
    this.publish(topic, payload, 1);
  }

  /** Sends a copy to everyone who has subscribed. Waits for nobody. */
  publish(topic: string, payload: Uint8Array, qos: 0 | 1): void {
    const own = new Uint8Array(payload);
    for (const connection of this.connections.values()) {
      // 3.3.1-9: to those already subscribed nothing is a retained message.
      connection.send({ topic, payload: own, qos, isRetained: false });
    }
  }

  /** Accepts and reads nothing more, lets what is being handled come to its end, then ends all connections. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, incidents, limits } = this.#options;
    const listenersClosed = Promise.all(this.#listeners.map((listener) => listener.close()));
    const patience = new AbortController();
    const overdue = sleep(clock, limits.closeTimeoutMs, patience.signal).then(
      () => incidents.note(undefined, "close-timeout", { limitMs: limits.closeTimeoutMs }),
      () => undefined,
    );
    await Promise.race([this.#front.quiesce(), overdue]);
    patience.abort();
    // The last acknowledgements leave in this turn.
    await clock.turn();
    await this.#front.close();
    this.#door.clear();
    await listenersClosed;
  }

  #sendRetained(connection: Connection, filters: readonly string[]): void {
    for (const { topic, payload } of this.#retained.matching(filters)) {
      connection.send({ topic, payload, qos: 1, isRetained: true });
    }
  }

  #reception(): Reception {
    const { limits, incidents } = this.#options;
    return {
      requestTimeoutMs: limits.connectTimeoutMs,
      messageBytes: limits.packetBytes,
      enter: (socket: Socket) => this.#door.enter(socket),
      serve: (socket: Socket, stream: Duplex, options) => this.#front.serve(socket, stream, options),
      fault: (error) => incidents.note(undefined, "listener-failed", { error: error.message }),
    };
  }
}
