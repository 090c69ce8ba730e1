// What the server has seen of its devices since it started: for answers and reports. What decisions rest on is
// in the rounds' state.

import type { DeviceId } from "../../shared/id.js";
import type { Labels, RejectionReason, UpMessage } from "../../shared/wire/message.js";

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
  /** What it is, in its owner's words. */
  readonly labels: Labels;
  readonly rejected: Readonly<Record<string, number>>;
  /** Of message payloads, since the server started. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

interface Seen {
  isConnected: boolean;
  seenMs: number | undefined;
  hello: UpMessage<"hello"> | undefined;
  readonly rejected: Map<RejectionReason, number>;
  bytesUp: number;
  bytesDown: number;
  /** As told last; undefined once something has changed. */
  view: DeviceView | undefined;
}

/** Devices by id, at most `limit`; the one not heard for longest makes room. */
export class FleetRegistry {
  readonly #limit: number;
  readonly #changed: () => void;
  readonly #devices = new Map<DeviceId, Seen>();
  /** By id; undefined once one has come or gone. */
  #ids: readonly DeviceId[] | undefined;
  /** As told last; undefined once something has changed. */
  #list: readonly DeviceView[] | undefined;

  /** `changed` is called when anything but a count of bytes has. */
  constructor(options: { readonly limit: number; readonly changed?: () => void }) {
    this.#limit = options.limit;
    this.#changed = options.changed ?? (() => undefined);
  }

  /** A device known from before the start: it may well still be connected. */
  expect(device: DeviceId): void {
    this.#touch(device).isConnected = true;
  }

  greeted(device: DeviceId, hello: UpMessage<"hello">, nowMs: number): void {
    Object.assign(this.#touch(device), { isConnected: true, seenMs: nowMs, hello });
    this.#changed();
  }

  left(device: DeviceId): void {
    const seen = this.#known(device);
    if (seen === undefined) return;
    seen.isConnected = false;
    this.#changed();
  }

  rejected(device: DeviceId, reason: RejectionReason): void {
    const { rejected } = this.#touch(device);
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
    this.#changed();
  }

  /** Counts what travelled. A stranger's bytes are nobody's. */
  carried(device: DeviceId, { up = 0, down = 0 }: { readonly up?: number; readonly down?: number }): void {
    const seen = this.#known(device);
    if (seen === undefined) return;
    seen.bytesUp += up;
    seen.bytesDown += down;
  }

  /** True when a message would probably reach it. */
  isConnected(device: DeviceId): boolean {
    return this.#devices.get(device)?.isConnected ?? false;
  }

  /** All devices, by id. What has not changed is the same object as the last time, the list itself included. */
  list(): readonly DeviceView[] {
    this.#ids ??= [...this.#devices.keys()].sort();
    this.#list ??= this.#ids.map((device) => {
      const seen = this.#devices.get(device)!;
      seen.view ??= viewOf(device, seen);
      return seen.view;
    });
    return this.#list;
  }

  /** A device about to be changed. */
  #known(device: DeviceId): Seen | undefined {
    const seen = this.#devices.get(device);
    if (seen !== undefined) seen.view = undefined;
    this.#list = undefined;
    return seen;
  }

  // A map iterates in order of insertion: moving whoever is heard to its end keeps the longest silent first.
  #touch(device: DeviceId): Seen {
    const known = this.#known(device);
    const seen = known ?? newlySeen();
    this.#devices.delete(device);
    if (known === undefined) this.#ids = undefined;
    if (this.#devices.size >= this.#limit) {
      const [longestSilent] = this.#devices.keys();
      if (longestSilent !== undefined) this.#devices.delete(longestSilent);
    }
    this.#devices.set(device, seen);
    return seen;
  }
}

function newlySeen(): Seen {
  return {
    isConnected: false,
    seenMs: undefined,
    hello: undefined,
    rejected: new Map(),
    bytesUp: 0,
    bytesDown: 0,
    view: undefined,
  };
}

function viewOf(
  device: DeviceId,
  { isConnected, seenMs, hello, rejected, bytesUp, bytesDown }: Seen,
): DeviceView {
  return {
    device,
    isConnected,
    seenMs,
    stable: hello?.stable ?? null,
    eligible: hello?.eligible ?? false,
    reason: hello?.reason ?? null,
    examples: hello?.examples ?? { train: 0, validation: 0 },
    labels: hello?.labels ?? {},
    rejected: Object.fromEntries(rejected),
    bytesUp,
    bytesDown,
  };
}
