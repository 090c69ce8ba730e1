// What a device says to the server. A message that does not get through is counted; the protocol says it again.

import type { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import type { DeviceId, TaskId } from "../shared/id.js";
import type { Link } from "../shared/transport/port.js";
import { encodeToSend, type UpMessage } from "../shared/wire/message.js";
import { topics, type UpKind } from "../shared/wire/topic.js";

/** The device's voice on one link. */
export class Outgoing {
  readonly #link: Link;
  readonly #task: TaskId;
  readonly #device: DeviceId;
  readonly #counters: Counters;

  constructor(options: {
    readonly link: Link;
    readonly task: TaskId;
    readonly device: DeviceId;
    readonly counters: Counters;
  }) {
    this.#link = options.link;
    this.#task = options.task;
    this.#device = options.device;
    this.#counters = options.counters;
  }

  /** Most bytes of data one message should carry now. */
  chunkBytes(): number {
    return this.#link.chunkBytes();
  }

  /** Resolves to true at the broker's acknowledgement, to false when none came. Never rejects. */
  send<Kind extends UpKind>(kind: Kind, message: UpMessage<Kind>): Promise<boolean> {
    const topic = topics.up(this.#task, this.#device, kind);
    return this.#attempt(this.#link.publish(topic, encodeToSend(message)));
  }

  /** Tells people whether the device is there; nothing of the protocol rests on it. */
  sayPresence(presence: "online" | "offline"): Promise<boolean> {
    const topic = topics.presence(this.#task, this.#device);
    return this.#attempt(this.#link.publish(topic, Buffer.from(presence), { retain: true }));
  }

  async #attempt(published: Promise<void>): Promise<boolean> {
    try {
      await published;
      return true;
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#counters.add(`publishes.${error.code}`);
      return false;
    }
  }
}
