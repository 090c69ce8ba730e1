// Messages that were acknowledged before they were handled: one lane per device, so that a slow one holds up nobody
// else, and a bound on all of them together, so that the broker is not read faster than it is served.

import type { Counters } from "../counters.js";
import type { UplinkMessage } from "./port.js";

export interface DeviceLanesOptions {
  readonly handle: (message: UplinkMessage) => Promise<void>;
  readonly counters: Counters;
  readonly limits?: Partial<LaneLimits>;
}

/** Bounds of what waits or is being handled. */
export interface LaneLimits {
  /** Of all devices; beyond it `post` waits. */
  readonly messages: number;
  readonly bytes: number;
  /** Of one device: beyond it its messages are dropped, and it asks again. More than one update of a few MB. */
  readonly deviceMessages: number;
  readonly deviceBytes: number;
}

const defaultLimits: LaneLimits = {
  messages: 8192,
  bytes: 64 * 1024 * 1024,
  deviceMessages: 1024,
  deviceBytes: 16 * 1024 * 1024,
};

interface Lane {
  readonly waiting: UplinkMessage[];
  messages: number;
  bytes: number;
}

/** Handles each lane's messages one at a time, in order. */
export class DeviceLanes {
  readonly #handle: (message: UplinkMessage) => Promise<void>;
  readonly #counters: Counters;
  readonly #limits: LaneLimits;
  readonly #lanes = new Map<string, Lane>();
  #messages = 0;
  #bytes = 0;
  #onRoom: (() => void)[] = [];
  #isClosed = false;

  constructor({ handle, counters, limits }: DeviceLanesOptions) {
    this.#handle = handle;
    this.#counters = counters;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Resolves when the message is in its lane, or was dropped because its device has too many there. */
  async post(device: string, message: UplinkMessage): Promise<void> {
    while (!this.#isClosed && !this.#hasRoom(message)) {
      await new Promise<void>((resolve) => this.#onRoom.push(resolve));
    }
    if (this.#isClosed) return;
    const lane = this.#lanes.get(device) ?? { waiting: [], messages: 0, bytes: 0 };
    if (!this.#mayEnter(lane, message)) {
      this.#counters.add("uplink.flood");
      return;
    }
    this.#count(lane, message, 1);
    lane.waiting.push(message);
    if (lane.messages > 1) return;
    this.#lanes.set(device, lane);
    void this.#run(device, lane);
  }

  /** What waits is dropped; the handler is not called again. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) lane.waiting.length = 0;
    this.#wake();
  }

  async #run(device: string, lane: Lane): Promise<void> {
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
      try {
        await this.#handle(next);
      } catch {
        // The broker has acknowledged it long ago, so the device cannot be told: by the protocol it asks again.
        this.#counters.add("uplink.failed");
      }
      this.#count(lane, next, -1);
      this.#wake();
    }
    this.#lanes.delete(device);
  }

  #hasRoom({ payload }: UplinkMessage): boolean {
    const { messages, bytes } = this.#limits;
    return this.#messages === 0 || (this.#messages < messages && this.#bytes + payload.length <= bytes);
  }

  #mayEnter(lane: Lane, { payload }: UplinkMessage): boolean {
    const { deviceMessages, deviceBytes } = this.#limits;
    return lane.messages < deviceMessages && lane.bytes + payload.length <= deviceBytes;
  }

  #count(lane: Lane, { payload }: UplinkMessage, sign: 1 | -1): void {
    lane.messages += sign;
    lane.bytes += sign * payload.length;
    this.#messages += sign;
    this.#bytes += sign * payload.length;
  }

  #wake(): void {
    const waiting = this.#onRoom;
    this.#onRoom = [];
    for (const resolve of waiting) resolve();
  }
}
