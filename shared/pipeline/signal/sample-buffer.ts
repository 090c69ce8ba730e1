// The newest samples of several channels, with their times, until enough of them have come together.

import type { Saved, Stateful } from "../state.js";

/** A stretch of samples of all channels, one after the other in time. Its user bounds it by `capacity`. */
export class SampleBuffer implements Stateful {
  readonly #channels: readonly Float32Array[];
  readonly #timesMs: Float64Array;
  // 1 where a sample was measured, 0 where it was drawn between its neighbours.
  readonly #measured: Uint8Array;
  #size = 0;

  constructor(channels: number, capacity: number) {
    this.#channels = Array.from({ length: channels }, () => new Float32Array(capacity));
    this.#timesMs = new Float64Array(capacity);
    this.#measured = new Uint8Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Time of the first sample; there must be one. */
  get firstMs(): number {
    return this.#timesMs[0]!;
  }

  /** Time of the last sample; there must be one. */
  get lastMs(): number {
    return this.#timesMs[this.#size - 1]!;
  }

  /** Adds a block of each channel, all of one length, its first sample at `timeMs`. */
  append(blocks: readonly Float32Array[], timeMs: number, sampleMs: number): void {
    const length = blocks[0]!.length;
    this.#channels.forEach((channel, i) => {
      channel.set(blocks[i]!, this.#size);
    });
    for (let n = 0; n < length; n++) this.#timesMs[this.#size + n] = timeMs + n * sampleMs;
    this.#measured.fill(1, this.#size, this.#size + length);
    this.#size += length;
  }

  /** Draws a straight line of `count` samples from the last one to the first of what comes next at `timeMs`. */
  bridge(count: number, next: readonly Float32Array[], timeMs: number): void {
    const last = this.#size - 1;
    const fromMs = this.lastMs;
    for (let n = 1; n <= count; n++) {
      const share = n / (count + 1);
      this.#channels.forEach((channel, i) => {
        channel[last + n] = channel[last]! + share * (next[i]![0]! - channel[last]!);
      });
      this.#timesMs[last + n] = fromMs + share * (timeMs - fromMs);
    }
    this.#measured.fill(0, this.#size, this.#size + count);
    this.#size += count;
  }

  /** How many of the first `count` samples were measured. */
  measured(count: number): number {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += this.#measured[n]!;
    return sum;
  }

  /** A copy of a channel's first `count` samples. */
  copy(channel: number, count: number): Float32Array {
    return this.#channels[channel]!.slice(0, count);
  }

  /** Forgets the first `count` samples. */
  drop(count: number): void {
    for (const channel of this.#channels) channel.copyWithin(0, count, this.#size);
    this.#timesMs.copyWithin(0, count, this.#size);
    this.#measured.copyWithin(0, count, this.#size);
    this.#size -= count;
  }

  clear(): void {
    this.#size = 0;
  }

  save(): Saved {
    const saved: SavedBuffer = {
      channels: this.#channels.map((channel) => channel.slice(0, this.#size)),
      timesMs: this.#timesMs.slice(0, this.#size),
      measured: this.#measured.slice(0, this.#size),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { channels, timesMs, measured } = saved as SavedBuffer; // as `save` made it
    this.#channels.forEach((channel, i) => {
      channel.set(channels[i]!);
    });
    this.#timesMs.set(timesMs);
    this.#measured.set(measured);
    this.#size = timesMs.length;
  }
}

interface SavedBuffer {
  readonly channels: readonly Float32Array[];
  readonly timesMs: Float64Array;
  readonly measured: Uint8Array;
}
