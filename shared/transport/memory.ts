// An MQTT broker in memory, for tests and simulations. Nothing is delivered synchronously: every message,
// connection and acknowledgement goes through the clock, so one seed gives one order of events.
//
// Where it differs from a broker on a network: a message to a device that the network loses ends that
// device's connection once the acknowledgement is overdue, as a real one would find out; so a subscriber
// misses nothing while it stays connected. A message from a device that is lost, or whose acknowledgement
// is, rejects the device's publish and leaves the connection alone.

import { assert } from "../assert.js";
import type { Clock } from "../clock.js";
import type { DeviceId } from "../id.js";
import { type Fate, type FaultModel, noFaults } from "./fault.js";
import { createMemoryLink, type LinkHost, type LinkLimits, type MemoryLink } from "./memory-link.js";
import {
  createMemoryUplink,
  type MemoryUplink,
  type UplinkHost,
  type UplinkReceiver,
} from "./memory-uplink.js";
import { RetainedStore } from "./retained.js";
import type { Session, TopicPayload } from "./session.js";
import { isTopic } from "./topic-filter.js";

/** Bytes of topics and payloads, every delivery attempt counted: up from devices, down to them. */
export interface Traffic {
  readonly up: number;
  readonly down: number;
}

/** Bounds of the broker. */
export interface BrokerLimits extends LinkLimits {
  /** Most bytes of one payload; a device that sends more is cut off. */
  readonly payloadBytes: number;
}

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** Default: none. */
  readonly faults?: FaultModel;
  readonly limits?: Partial<BrokerLimits>;
}

/** The broker, as the one who runs all parties sees it. */
export interface MemoryBroker {
  /** A new connection for one device process. */
  link(): MemoryLink;
  /** A new uplink for one server process. The one opened last gets all that devices publish. */
  uplink(): MemoryUplink;
  /**
   * Ends a client's connection from outside, if it has one; its link comes back by itself. Abrupt: the
   * network failed, so the will is published.
   */
  disconnect(clientId: DeviceId, options: { readonly abrupt: boolean }): void;
  readonly traffic: Traffic;
  trafficOf(clientId: DeviceId): Traffic;
}

const defaultLimits: BrokerLimits = {
  inFlight: 64,
  queue: 1000,
  ackTimeoutMs: 10_000,
  connectMs: 1,
  reconnectMs: 1000,
  reconnectMaxMs: 60_000,
  payloadBytes: 192 * 1024,
};

/** Topics whose subscribers are remembered. */
const TOPICS_MAX = 10_000;

/** A broker without clients. */
export function createMemoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  return new Broker(options);
}

type Published = TopicPayload & { readonly retain: boolean };

class Broker implements MemoryBroker, LinkHost, UplinkHost {
  readonly clock: Clock;
  readonly limits: BrokerLimits;
  readonly queue: number;
  readonly traffic = { up: 0, down: 0 };
  readonly #faults: FaultModel;
  readonly #sessions = new Map<DeviceId, Session>();
  readonly #retained = new RetainedStore();
  /** Who is subscribed to a topic, as found since a session last came or went. */
  readonly #subscribers = new Map<string, readonly Session[]>();
  readonly #trafficOf = new Map<DeviceId, { up: number; down: number }>();
  #uplink: UplinkReceiver | undefined;

  constructor({ clock, faults = noFaults, limits = {} }: MemoryBrokerOptions) {
    this.clock = clock;
    this.limits = { ...defaultLimits, ...limits };
    this.queue = this.limits.queue;
    this.#faults = faults;
  }

  link(): MemoryLink {
    return createMemoryLink(this);
  }

  uplink(): MemoryUplink {
    return createMemoryUplink(this);
  }

  disconnect(clientId: DeviceId, end: { readonly abrupt: boolean }): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) this.drop(session, end);
  }

  trafficOf(clientId: DeviceId): Traffic {
    return { ...(this.#trafficOf.get(clientId) ?? { up: 0, down: 0 }) };
  }

  admit(session: Session): boolean {
    if (!this.#isReachable(session.clientId)) return false;
    // 3.1.4-2: a second client of the same id takes over.
    this.disconnect(session.clientId, { abrupt: true });
    this.#sessions.set(session.clientId, session);
    this.#subscribers.clear();
    return true;
  }

  sendRetained(session: Session): void {
    for (const message of this.#retained.matching(session.options.subscriptions)) {
      this.#deliver(session, message, { retained: true });
    }
  }

  drop(session: Session, { abrupt }: { readonly abrupt: boolean }): void {
    if (session.hasEnded) return;
    this.#sessions.delete(session.clientId);
    this.#subscribers.clear();
    session.end();
    const will = session.options.will;
    if (!abrupt || will === undefined) return;
    this.clock.after(0, () => void this.#route(session.clientId, will));
  }

  receive(session: Session, message: Published, acknowledge: () => void): void {
    const { clientId } = session;
    if (!this.#isWelcome(session, message)) {
      this.drop(session, { abrupt: true });
      return;
    }
    const passage = { clientId, direction: "up", topic: message.topic, bytes: bytesOf(message) } as const;
    const fate = this.#faults.fate(passage);
    this.#count(clientId, "up", passage.bytes * Math.max(fate.copies, 1));
    const next = arrivals(message, fate);
    const isCarried = session.up.carry(fate, () => {
      void this.#route(clientId, next()).then((isHandled) => {
        if (isHandled) this.#acknowledge(session, message.topic, acknowledge);
      });
    });
    if (!isCarried) this.drop(session, { abrupt: true });
  }

  attach(uplink: UplinkReceiver): void {
    this.#uplink = uplink;
  }

  detach(uplink: UplinkReceiver): void {
    if (this.#uplink === uplink) this.#uplink = undefined;
  }

  sendTo(clientId: DeviceId, message: TopicPayload): void {
    this.#assertFits(message);
    const session = this.#sessions.get(clientId);
    if (session?.subscribes(message.topic)) this.#deliver(session, message, { retained: false });
  }

  retain(message: TopicPayload): void {
    this.#assertFits(message);
    this.#retained.keep(message);
    this.#fanOut(message);
  }

  /** A client's message has reached the broker. True when it is to be acknowledged. */
  async #route(clientId: DeviceId, message: Published): Promise<boolean> {
    if (message.retain) this.#retained.keep(message);
    this.#fanOut(message);
    return this.#uplink === undefined ? false : this.#uplink.handle(clientId, message);
  }

  #fanOut(message: TopicPayload): void {
    // 3.3.1-9: to those already subscribed it is not a retained message.
    for (const session of this.#subscribersOf(message)) this.#deliver(session, message, { retained: false });
  }

  #subscribersOf({ topic }: TopicPayload): readonly Session[] {
    const known = this.#subscribers.get(topic);
    if (known !== undefined) return known;
    if (this.#subscribers.size >= TOPICS_MAX) this.#subscribers.clear();
    const found = [...this.#sessions.values()].filter((session) => session.subscribes(topic));
    this.#subscribers.set(topic, found);
    return found;
  }

  #deliver(session: Session, message: TopicPayload, { retained }: { readonly retained: boolean }): void {
    if (session.hasEnded) return;
    const { clientId } = session;
    if (!this.#isReachable(clientId)) {
      this.drop(session, { abrupt: true });
      return;
    }
    const passage = { clientId, direction: "down", topic: message.topic, bytes: bytesOf(message) } as const;
    const fate = this.#faults.fate(passage);
    this.#count(clientId, "down", passage.bytes * Math.max(fate.copies, 1));
    const next = arrivals(copyOf({ topic: message.topic, payload: message.payload }), fate);
    const isCarried = session.down.carry(fate, () => session.deliver({ ...next(), retained }));
    if (!isCarried) this.drop(session, { abrupt: true });
    if (fate.copies > 0) return;
    this.clock.after(this.limits.ackTimeoutMs, () => this.drop(session, { abrupt: true }));
  }

  #acknowledge(session: Session, topic: string, acknowledge: () => void): void {
    if (session.hasEnded) return;
    const fate = this.#faults.fate({ clientId: session.clientId, direction: "acknowledge", topic, bytes: 0 });
    if (!session.down.carry(fate, acknowledge)) this.drop(session, { abrupt: true });
  }

  #isWelcome(session: Session, message: TopicPayload): boolean {
    const fits = message.payload.length <= this.limits.payloadBytes && isTopic(message.topic);
    return fits && this.#isReachable(session.clientId);
  }

  #isReachable(clientId: DeviceId): boolean {
    return (this.#faults.unreachableUntil?.(clientId) ?? 0) <= this.clock.now();
  }

  #assertFits({ topic, payload }: TopicPayload): void {
    assert(isTopic(topic), `${topic} is no topic to publish to`);
    const { payloadBytes } = this.limits;
    assert(payload.length <= payloadBytes, `${topic}: ${payload.length} bytes, the limit is ${payloadBytes}`);
  }

  #count(clientId: DeviceId, direction: "up" | "down", bytes: number): void {
    const own = this.#trafficOf.get(clientId) ?? { up: 0, down: 0 };
    own[direction] += bytes;
    this.traffic[direction] += bytes;
    this.#trafficOf.set(clientId, own);
  }
}

function bytesOf({ topic, payload }: TopicPayload): number {
  return Buffer.byteLength(topic) + payload.length;
}

/** What arrives, time after time, of a message whose bytes are nobody else's: each time the receiver's own. */
function arrivals<M extends TopicPayload>(message: M, { copies }: Fate): () => M {
  let left = copies;
  return () => (--left > 0 ? copyOf(message) : message);
}

/** The message with bytes of its own: its receiver owns them. */
function copyOf<M extends TopicPayload>(message: M): M {
  return { ...message, payload: new Uint8Array(message.payload) };
}
