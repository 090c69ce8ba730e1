// Aedes and its hooks. Aedes keeps sessions and writes packets; who may do what, and where messages go, is decided
// here and by the policy.
//
// Two facts about Aedes shape this file. It acknowledges a QoS 1 message before it does anything with it, but for
// `authorizePublish`: so all handling takes place in there. And when `authorizePublish` refuses, it can only end the
// connection: so a client learns of a message that could not be handled by losing its connection.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  Aedes,
  type AedesOptions,
  type Client,
  type ConnectPacket,
  type PublishPacket,
  type Subscription,
} from "aedes";
import { assert } from "../../shared/assert.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import { MuteEmitter, NoPersistence } from "./bare-aedes.js";
import { Connection } from "./connection.js";
import type { Door } from "./door.js";
import { ConnectionFault, GuardedStream } from "./guarded-stream.js";
import type { Incidents } from "./incidents.js";
import type { BrokerLimits } from "./limits.js";
import type { BrokerPolicy, Incoming, Refusal } from "./policy.js";

export interface FrontOptions {
  readonly policy: BrokerPolicy;
  readonly limits: BrokerLimits;
  readonly incidents: Incidents;
  readonly logger: Logger;
  readonly door: Door;
  /** A client has subscribed to `filters`, and its SUBACK is on the way. */
  readonly onSubscribed: (connection: Connection, filters: readonly string[]) => void;
}

/** A client from its first byte on; `connection` is there once its CONNECT was accepted. */
interface Visit {
  readonly socket: Socket;
  readonly stream: GuardedStream;
  connection: Connection | undefined;
  hasFailed: boolean;
}

const EMPTY = Buffer.alloc(0);
/** Return code of SUBACK for a filter that was refused (3.9.3). */
const NOT_GRANTED = 128;
// Tells other brokers that this one lives. There are none; four times this still fits a timer.
const HEARTBEAT_MS = 24 * 3_600_000;

/** The clients. */
export class Front {
  readonly #options: FrontOptions;
  readonly #aedes: Aedes;
  readonly #visits = new WeakMap<Client, Visit>();
  readonly #connections = new Map<string, Connection>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#aedes = new Aedes(this.#aedesOptions());
    this.#aedes.on("clientReady", (client) => this.#ready(client));
    this.#aedes.on("subscribe", (subscriptions, client) => this.#subscribed(client, subscriptions));
    this.#aedes.on("unsubscribe", (filters, client) => this.#unsubscribed(client, filters));
    this.#aedes.on("clientError", (client, error) => this.#failed(client, error));
    this.#aedes.on("connectionError", (client, error) => this.#failed(client, error));
    // Not in its types: trouble of Aedes itself, which would end the process if nobody listened.
    const emitter: NodeJS.EventEmitter = this.#aedes;
    emitter.on("error", (error) => options.incidents.note(undefined, "aedes", { error: messageOf(error) }));
  }

  /** Clients that have authenticated, by id. */
  get connections(): ReadonlyMap<string, Connection> {
    return this.#connections;
  }

  start(): Promise<void> {
    return this.#aedes.listen();
  }

  /** Takes a client in. `isFramed`: each write to `inner` is a message of its own. */
  serve(socket: Socket, inner: Duplex, { isFramed }: { readonly isFramed: boolean }): void {
    const { limits, incidents } = this.#options;
    const stream = new GuardedStream(inner, {
      ...limits,
      joinsWrites: isFramed,
      onFault: (reason, error) => incidents.note(visit.connection?.id, reason, { error }),
    });
    const visit: Visit = { socket, stream, connection: undefined, hasFailed: false };
    stream.once("close", () => {
      const { connection } = visit;
      if (connection !== undefined && this.#connections.get(connection.id) === connection) {
        this.#connections.delete(connection.id);
      }
    });
    this.#visits.set(this.#aedes.handle(stream), visit);
  }

  /** Reads nothing more; resolves when all that was read has been handled. */
  async quiesce(): Promise<void> {
    for (const { stream } of this.#connections.values()) stream.hold();
    await Promise.allSettled(this.#running);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(() => resolve()));
  }

  #aedesOptions(): AedesOptions {
    const { limits } = this.#options;
    return {
      mq: new MuteEmitter(),
      persistence: new NoPersistence(),
      heartbeatInterval: HEARTBEAT_MS,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      preConnect: (client, packet, done) => {
        const refusal = this.#greet(client, packet);
        done(refusal ?? null, refusal === undefined);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const refusal = this.#options.policy.refuseSubscribe(client.id, subscription.topic);
        if (refusal === undefined) done(null, subscription);
        else done(this.#refuse(client.id, refusal));
      },
      authorizePublish: (client, packet, done) => {
        this.#publish(client, packet).then(
          () => done(null),
          // Noted where it was found; as a fault of ours it is not taken for one of the packet.
          (error) => done(new ConnectionFault("not-handled", messageOf(error))),
        );
      },
    };
  }

  /** Lets a client in, or says why not. */
  #greet(client: Client, packet: ConnectPacket): Error | undefined {
    const { policy, limits } = this.#options;
    const visit = this.#visits.get(client);
    assert(visit !== undefined, "a client speaks after it was taken in");
    const refusal = policy.refuseConnect(packet);
    if (refusal !== undefined) {
      // CONNACK (3.2): Aedes would close without a word.
      client.conn.write(Buffer.of(0x20, 2, 0, refusal.returnCode));
      return this.#refuse(undefined, refusal);
    }
    const id = packet.clientId;
    // 3.1.4-2. Aedes does it too, but loses sight of the old client when the new one is cut off half-way.
    this.#connections.get(id)?.stream.fail("taken-over", "another client has connected with this id");
    const { stream } = visit;
    visit.connection = new Connection({ id, client, stream, unhandledMax: limits.unhandledBytes });
    this.#connections.set(id, visit.connection);
    return undefined;
  }

  /** CONNACK is on its way. Only now may more than the CONNECT come in. */
  #ready(client: Client): void {
    const visit = this.#visits.get(client);
    if (visit === undefined) return;
    this.#options.door.pass(visit.socket);
    visit.stream.admit();
  }

  async #publish(client: Client | null, packet: PublishPacket): Promise<void> {
    // Without a client it would be the will of one that another broker had.
    const connection = client === null ? undefined : this.#visits.get(client)?.connection;
    if (connection === undefined) throw new Error("a message from nobody");
    const message = incomingOf(packet);
    const refusal = this.#options.policy.refusePublish(connection.id, message);
    if (refusal !== undefined) throw this.#refuse(connection.id, refusal);
    const handled = this.#handle(connection, message);
    this.#running.add(handled);
    try {
      await handled;
    } finally {
      this.#running.delete(handled);
    }
    // Nothing is left for Aedes to store or deliver, and the bytes are free before it lets go of the packet.
    packet.payload = EMPTY;
    packet.retain = false;
  }

  #handle(connection: Connection, message: Incoming): Promise<void> {
    const { policy } = this.#options;
    return connection.handling(message.payload.length, () => policy.handle(connection, message));
  }

  #subscribed(client: Client, subscriptions: readonly Subscription[]): void {
    const connection = this.#visits.get(client)?.connection;
    if (connection === undefined) return;
    const granted = subscriptions.filter(({ qos }) => Number(qos) !== NOT_GRANTED);
    for (const { topic, qos } of granted) connection.subscribe(topic, qos === 0 ? 0 : 1);
    this.#options.onSubscribed(
      connection,
      granted.map(({ topic }) => topic),
    );
  }

  #unsubscribed(client: Client, filters: readonly string[]): void {
    const connection = this.#visits.get(client)?.connection;
    for (const filter of filters) connection?.unsubscribe(filter);
  }

  /** Notes the breach; the error makes Aedes end the connection. */
  #refuse(client: string | undefined, { reason, detail }: Refusal): Error {
    this.#options.incidents.note(client, reason, { detail });
    return new ConnectionFault(reason, detail);
  }

  /** Aedes has ended a connection. What ended it is noted unless that was done where it was found. */
  #failed(client: Client, error: Error): void {
    const { incidents, logger } = this.#options;
    const visit = this.#visits.get(client);
    // Aedes tells the same to everything that had been waiting for this client.
    if (visit === undefined || visit.hasFailed) return;
    visit.hasFailed = true;
    const id = visit.connection?.id;
    const reason = reasons.get(error.message);
    if (reason !== undefined) incidents.note(id, reason);
    else if (isMalformed(error)) incidents.note(id, "malformed", { error: error.message });
    logger.debug({ client: id, error: error.message }, "connection ended");
  }
}

/** What Aedes says, and what we count it as. */
const reasons: ReadonlyMap<string, string> = new Map([
  ["keep alive timeout", "keepalive-timeout"],
  ["drain timeout", "stalled"],
]);

/** True for what a parser or Aedes found wrong with a packet; not for the network, which has codes. */
function isMalformed(error: Error): boolean {
  const isOurs = error instanceof ConnectionFault || error instanceof HeadwaterError;
  return !isOurs && !("code" in error) && error.message !== "connection closed";
}

function incomingOf({ topic, payload, qos, retain }: PublishPacket): Incoming {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  return {
    topic,
    payload: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    qos,
    isRetained: retain,
  };
}
