// Server-sent events (HTML standard, section 9.2): the picture once, then what changes of it, the same bytes for everybody.
// Bounded in clients, in events remembered for those who come back, and in what waits for a slow reader.

import { assert } from "../../shared/assert.js";
import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { LivePicture } from "./live.js";
import type { ApiSources } from "./views.js";

/** Where events go: a response. */
export interface EventSink {
  write(bytes: Buffer): unknown;
  end(): unknown;
  destroy(): unknown;
  /** Bytes that wait for the reader. */
  readonly writableLength: number;
}

/** Bounds. */
export interface EventLimits {
  readonly clients: number;
  /** Least time between two events: with it and the sending, a change is seen within 100 ms. */
  readonly paceMs: number;
  /** Longest time without one: how a reader knows that the server is there. */
  readonly beatMs: number;
  /** Events remembered, and their bytes. */
  readonly events: number;
  readonly eventBytes: number;
  /** Most bytes that may wait for one reader, on top of a snapshot. */
  readonly pendingBytes: number;
}

export const defaultEventLimits: EventLimits = {
  clients: 256,
  paceMs: 80,
  beatMs: 2_000,
  events: 256,
  eventBytes: 4 * 1024 * 1024,
  pendingBytes: 1024 * 1024,
};

/** A fleet so large that looking at it takes long is looked at less often: at most this share of the time. */
const LOOKING_SHARE = 0.1;

interface Remembered {
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** Everybody who watches. */
export class EventHub {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #sources: ApiSources;
  readonly #limits: EventLimits;
  readonly #picture: LivePicture;
  readonly #sinks = new Set<EventSink>();
  /** Tells this process's numbers from those of the one before. */
  readonly #epoch: string;
  #ring: Remembered[] = [];
  #sequence = 0;
  #snapshot: Remembered | undefined;
  #unwatch: () => void = () => undefined;
  #cancel: Cancel = () => undefined;
  #isDue = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #paceMs: number;

  constructor(sources: ApiSources, limits: EventLimits = defaultEventLimits) {
    this.#sources = sources;
    this.#clock = sources.clock;
    this.#counters = sources.brokerCounters;
    this.#limits = limits;
    this.#paceMs = limits.paceMs;
    this.#picture = new LivePicture(sources);
    this.#epoch = Math.max(0, Math.floor(sources.clock.now())).toString(36);
  }

  get clients(): number {
    return this.#sinks.size;
  }

  /** Nobody more is taken. */
  get isFull(): boolean {
    return this.#sinks.size >= this.#limits.clients;
  }

  /** Somebody was turned away. */
  refuse(): void {
    this.#counters.add("events.refused");
  }

  /**
   * Begins to send: what was missed since `lastEventId`, or everything. Not when it is full; the caller calls `leave`
   * when the sink has closed.
   */
  join(sink: EventSink, lastEventId: string | undefined): void {
    assert(!this.isFull, "who asks first does not join one too many");
    // Before it joins: what is new goes into the snapshot, or into what it has missed.
    this.#look(false);
    const missed = this.#missedSince(lastEventId);
    if (missed === undefined) sink.write(this.#whole());
    else for (const { bytes } of missed) sink.write(bytes);
    if (this.#sinks.size === 0) {
      this.#unwatch = this.#sources.server.watch(() => this.#schedule());
      this.#await(this.#limits.beatMs);
    }
    this.#sinks.add(sink);
  }

  leave(sink: EventSink): void {
    if (this.#sinks.delete(sink) && this.#sinks.size === 0) this.#rest();
  }

  /** Ends all. */
  close(): void {
    for (const sink of this.#sinks) sink.end();
    this.#sinks.clear();
    this.#rest();
  }

  #rest(): void {
    this.#unwatch();
    this.#cancel();
    this.#isDue = false;
    // Its time would be of long ago.
    this.#snapshot = undefined;
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#await(Math.max(0, this.#lookedMs + this.#paceMs - this.#clock.elapsed()));
  }

  #await(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(delayMs, () => {
      // Nothing was announced: this is a beat, and sent whether or not anything is new.
      const isBeat = !this.#isDue;
      this.#isDue = false;
      this.#look(isBeat);
      if (this.#sinks.size > 0) this.#await(this.#limits.beatMs);
    });
  }

  #look(isBeat: boolean): void {
    const beganMs = this.#clock.elapsed();
    const { change, isNews } = this.#picture.look();
    if (isNews || isBeat) this.#send("change", JSON.stringify(change));
    this.#lookedMs = this.#clock.elapsed();
    this.#paceMs = Math.max(this.#limits.paceMs, (this.#lookedMs - beganMs) / LOOKING_SHARE);
  }

  #send(event: string, data: string): void {
    this.#sequence += 1;
    const bytes = this.#frame(event, data);
    this.#ring.push({ sequence: this.#sequence, bytes });
    this.#trim();
    const bound = this.#limits.pendingBytes + (this.#snapshot?.bytes.length ?? 0);
    for (const sink of this.#sinks) {
      if (sink.writableLength <= bound) sink.write(bytes);
      else {
        // It comes back by itself, and catches up from the last event it has read.
        this.#counters.add("events.too-slow");
        this.leave(sink);
        sink.destroy();
      }
    }
  }

  #trim(): void {
    const { events, eventBytes } = this.#limits;
    let bytes = 0;
    let from = this.#ring.length;
    while (from > 0 && this.#ring.length - from < events && bytes < eventBytes) {
      from -= 1;
      bytes += this.#ring[from]!.bytes.length;
    }
    if (from > 0) this.#ring = this.#ring.slice(from);
  }

  /** Undefined when something it has missed is no longer remembered. */
  #missedSince(lastEventId: string | undefined): readonly Remembered[] | undefined {
    const [epoch, digits] = (lastEventId ?? "").split("-");
    const sequence = Number(digits);
    if (epoch !== this.#epoch || !Number.isSafeInteger(sequence) || sequence > this.#sequence)
      return undefined;
    const missed = this.#ring.filter((each) => each.sequence > sequence);
    return missed.length === this.#sequence - sequence ? missed : undefined;
  }

  /** Made once for all who come at the same point. */
  #whole(): Buffer {
    if (this.#snapshot?.sequence !== this.#sequence) {
      const bytes = this.#frame("snapshot", JSON.stringify(this.#picture.whole()));
      this.#snapshot = { sequence: this.#sequence, bytes };
    }
    return this.#snapshot.bytes;
  }

  #frame(event: string, data: string): Buffer {
    // JSON text has no line breaks, so one data field holds it.
    return Buffer.from(`id: ${this.#epoch}-${this.#sequence}\nevent: ${event}\ndata: ${data}\n\n`, "utf8");
  }
}
