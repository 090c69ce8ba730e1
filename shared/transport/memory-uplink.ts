// The server's side of the memory broker: one inbox per device, acknowledged when the handler is done.

import { assert } from "../assert.js";
import { HeadwaterError } from "../error.js";
import type { DeviceId } from "../id.js";
import { Inbox } from "../inbox.js";
import type { Uplink, UplinkMessage } from "./port.js";
import type { TopicPayload } from "./session.js";

/** What an uplink needs of its broker. */
export interface UplinkHost {
  /** Most messages of one device that wait for the handler; one more gets no acknowledgement. */
  readonly queue: number;
  /** From now on, this uplink and no other gets what devices publish. */
  attach(uplink: UplinkReceiver): void;
  detach(uplink: UplinkReceiver): void;
  sendTo(clientId: DeviceId, message: TopicPayload): void;
  retain(message: TopicPayload): void;
}

/** Where the broker hands over what devices publish. */
export interface UplinkReceiver {
  /** True when it was handled and is to be acknowledged. Never rejects. */
  handle(clientId: DeviceId, message: TopicPayload): Promise<boolean>;
}

/** An uplink that can also die like a process does. */
export interface MemoryUplink extends Uplink {
  /** The process is gone: its handler is never called again, nothing is acknowledged, what it sends vanishes. */
  abandon(): void;
}

/** An uplink on `host`, without traffic before `open`. */
export function createMemoryUplink(host: UplinkHost): MemoryUplink {
  return new HostedUplink(host);
}

class HostedUplink implements MemoryUplink, UplinkReceiver {
  readonly #host: UplinkHost;
  readonly #inboxes = new Map<DeviceId, Inbox<UplinkMessage>>();
  #handler: ((message: UplinkMessage) => Promise<void>) | undefined;
  #state: "new" | "open" | "closed" | "abandoned" = "new";

  constructor(host: UplinkHost) {
    this.#host = host;
  }

  open(handler: (message: UplinkMessage) => Promise<void>): void {
    assert(this.#state === "new", `an uplink that is ${this.#state} cannot be opened`);
    this.#state = "open";
    this.#handler = handler;
    this.#host.attach(this);
  }

  async send(deviceId: DeviceId, topic: string, payload: Uint8Array): Promise<void> {
    if (this.#maySend(topic)) this.#host.sendTo(deviceId, { topic, payload });
  }

  async retain(topic: string, payload: Uint8Array): Promise<void> {
    if (this.#maySend(topic)) this.#host.retain({ topic, payload });
  }

  async close(): Promise<void> {
    if (this.#state !== "abandoned") this.#stop("closed");
  }

  abandon(): void {
    this.#stop("abandoned");
  }

  async handle(clientId: DeviceId, { topic, payload }: TopicPayload): Promise<boolean> {
    try {
      await this.#inboxOf(clientId).post({ topic, payload, clientId });
      // A process that died meanwhile acknowledges nothing, whatever its last handler still did.
      return this.#state === "open";
    } catch {
      return false;
    }
  }

  #inboxOf(clientId: DeviceId): Inbox<UplinkMessage> {
    const known = this.#inboxes.get(clientId);
    if (known !== undefined) return known;
    const inbox = new Inbox<UplinkMessage>({
      handle: async (message) => {
        if (this.#state === "open") await this.#handler?.(message);
      },
      limit: this.#host.queue,
    });
    this.#inboxes.set(clientId, inbox);
    return inbox;
  }

  #maySend(topic: string): boolean {
    if (this.#state === "closed") {
      throw new HeadwaterError("transport-closed", `${topic}: the uplink is closed`);
    }
    return this.#state !== "abandoned";
  }

  #stop(state: "closed" | "abandoned"): void {
    this.#state = state;
    this.#host.detach(this);
  }
}
