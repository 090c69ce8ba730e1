// A broker nobody should trust, or a cable with a loose contact: messages of a device are repeated long after they
// were sent, and come with a bit changed. Signatures, hashes and ids must see through all of it.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Random } from "../../shared/random.js";
import type { MemoryLink } from "../../shared/transport/memory-link.js";
import type { Message } from "../../shared/transport/port.js";
import { parseTopic } from "../../shared/wire/topic.js";

/** How a tap behaves. */
export interface TapOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Shares of messages, either way. */
  readonly replay: number;
  readonly corrupt: number;
  /** Counts `replayed` and `corrupted`. */
  readonly counters: Counters;
  /** Whether the tap is at work. */
  readonly isActive: () => boolean;
  /** Breaks the connection, which comes back by itself. */
  readonly disconnect: () => void;
}

interface Sent {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Messages remembered for being repeated. */
const REMEMBERED_MAX = 50;
/** A repetition comes up to this much later. */
const REPLAY_MS = 60_000;
/** A connection that garbles what nobody can ask for again lasts up to this much longer. */
const BROKEN_MS = 60_000;

/** The link behind a tap. */
export function tapLink(link: MemoryLink, options: TapOptions): MemoryLink {
  const up = new Tap(options);
  const down = new Tap(options);
  return {
    keepaliveMs: link.keepaliveMs,
    chunkBytes: () => link.chunkBytes(),
    open: ({ onMessage, ...rest }) =>
      link.open({
        ...rest,
        onMessage: (message) => {
          down.replay(message, (earlier) => onMessage({ ...earlier, retained: false }));
          onMessage(down.garble(message));
        },
      }),
    publish: (topic, payload, publishOptions) => {
      const message = { topic, payload };
      up.replay(message, (earlier) => link.publish(earlier.topic, earlier.payload).catch(() => undefined));
      return link.publish(topic, up.corrupt(message).payload, publishOptions);
    },
    close: () => link.close(),
    abandon: () => link.abandon(),
  };
}

/** One direction. */
class Tap {
  readonly #options: TapOptions;
  readonly #remembered: Sent[] = [];

  constructor(options: TapOptions) {
    this.#options = options;
  }

  /** Remembers the message, and now and then has an earlier one said again. */
  replay({ topic, payload }: Sent, say: (earlier: Sent) => void): void {
    const { clock, random, replay, counters, isActive } = this.#options;
    if (!isActive()) return;
    if (this.#remembered.length >= REMEMBERED_MAX) this.#remembered.shift();
    this.#remembered.push({ topic, payload: new Uint8Array(payload) });
    if (random.uniform() >= replay) return;
    const earlier = this.#remembered[random.integer(this.#remembered.length)]!;
    counters.add("replayed");
    clock.after(random.integer(REPLAY_MS), () => {
      say({ topic: earlier.topic, payload: new Uint8Array(earlier.payload) });
    });
  }

  /**
   * As `corrupt`. What is retained comes again only with the next connection, so that connection must come: real
   * ones end with the first record that does not authenticate (RFC 8446, section 5.2). Ours may take its time.
   */
  garble(message: Message): Message {
    const { clock, random, disconnect } = this.#options;
    const received = this.corrupt(message);
    const isAnnouncement = parseTopic(message.topic)?.direction !== "down";
    if (received !== message && isAnnouncement) clock.after(random.integer(BROKEN_MS), disconnect);
    return received;
  }

  /** The message, or one that differs from it in a bit. */
  corrupt<M extends Sent | Message>(message: M): M {
    const { random, corrupt, counters, isActive } = this.#options;
    if (!isActive() || random.uniform() >= corrupt || message.payload.length === 0) return message;
    const payload = new Uint8Array(message.payload);
    const at = random.integer(payload.length);
    payload[at] = payload[at]! ^ (1 << random.integer(8));
    counters.add("corrupted");
    return { ...message, payload };
  }
}
