// What the server has seen of its devices since it started: for answers and reports. What decisions rest on is
// in the rounds' state.

import type { DeviceId } from "../../shared/id.js";
import type { RejectionReason, UpMessage } from "../../shared/wire/message.js";

/** One device, as last heard. */
export interface DeviceView {
  readonly device: DeviceId;
  /** It has said hello and has not been reported gone since. */
  readonly isConnected: boolean;
  readonly seenMs: number | undefined;
  readonly stable: number | null;
  readonly eligible: boolean;
  readonly reason: string | null;
  readonly examples: { readonly train: number; readonly validation: number };
  readonly rejected: Readonly<Record<string, number>>;
}

interface Seen {
  isConnected: boolean;
  seenMs: number | undefined;
  hello: UpMessage<"hello"> | undefined;
  readonly rejected: Map<RejectionReason, number>;
}

/** Devices by id, at most `limit`; the one not heard for longest makes room. */
export class FleetRegistry {
  readonly #limit: number;
  readonly #devices = new Map<DeviceId, Seen>();

  constructor(options: { readonly limit: number }) {
    this.#limit = options.limit;
  }

  /** A device known from before the start: it may well still be connected. */
  expect(device: DeviceId): void {
    this.#touch(device).isConnected = true;
  }

  greeted(device: DeviceId, hello: UpMessage<"hello">, nowMs: number): void {
    Object.assign(this.#touch(device), { isConnected: true, seenMs: nowMs, hello });
  }

  left(device: DeviceId): void {
    const seen = this.#devices.get(device);
    if (seen !== undefined) seen.isConnected = false;
  }

  rejected(device: DeviceId, reason: RejectionReason): void {
    const { rejected } = this.#touch(device);
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
  }

  /** True when a message would probably reach it. */
  isConnected(device: DeviceId): boolean {
    return this.#devices.get(device)?.isConnected ?? false;
  }

  /** All devices, by id. */
  list(): DeviceView[] {
    return [...this.#devices]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([device, { isConnected, seenMs, hello, rejected }]) => ({
        device,
        isConnected,
        seenMs,
        stable: hello?.stable ?? null,
        eligible: hello?.eligible ?? false,
        reason: hello?.reason ?? null,
        examples: hello?.examples ?? { train: 0, validation: 0 },
        rejected: Object.fromEntries(rejected),
      }));
  }

  // A map iterates in order of insertion: moving whoever is heard to its end keeps the longest silent first.
  #touch(device: DeviceId): Seen {
    const known = this.#devices.get(device);
    const seen = known ?? { isConnected: false, seenMs: undefined, hello: undefined, rejected: new Map() };
    this.#devices.delete(device);
    if (this.#devices.size >= this.#limit) {
      const [longestSilent] = this.#devices.keys();
      if (longestSilent !== undefined) this.#devices.delete(longestSilent);
    }
    this.#devices.set(device, seen);
    return seen;
  }
}
