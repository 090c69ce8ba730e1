// Aedes without the parts of it that must not run here. Messages between clients never go through its emitter
// (one reader that stalls freezes it for all, and it drops messages when qualities of service mix), and nothing
// is stored for absent clients (its queues have no bound). What is left: sessions, packets, acknowledgements.

import { Readable } from "node:stream";

type Done = (error?: Error | null) => void;

/** An emitter that delivers nothing to anybody (mqemitter's interface). */
export class MuteEmitter {
  on(_topic: string, _deliver: unknown, done?: Done): this {
    done?.();
    return this;
  }

  removeListener(_topic: string, _deliver: unknown, done?: Done): this {
    done?.();
    return this;
  }

  emit(_packet: unknown, done?: Done): this {
    done?.();
    return this;
  }

  close(done?: Done): void {
    done?.();
  }
}

/** Stores nothing (aedes-persistence's interface, as far as clean sessions and QoS 0 and 1 use it). */
export class NoPersistence {
  // Aedes looks at the constructor's name: it must be declared async.
  async setup(): Promise<void> {}

  async storeRetained(): Promise<void> {}
  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByTopic(): Promise<readonly never[]> {
    return [];
  }

  // Sent messages are not kept, so there is none to clear when its PUBACK comes, and none to send again.
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingClearMessageId(): Promise<void> {}
  outgoingStream(): Readable {
    return Readable.from([]);
  }

  // Reached by a PUBREL that nobody asked for: QoS 2 is refused.
  async incomingGetPacket(): Promise<undefined> {
    return undefined;
  }

  async cleanIncoming(): Promise<void> {}

  // A connected client holds its will itself; those of a dead process are of no use to the next.
  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  streamWill(): Readable {
    return Readable.from([]);
  }
}
