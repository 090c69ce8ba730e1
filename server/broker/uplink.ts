// The server's side of the broker: what devices publish about one task, one message of a device at a time.

import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Uplink, UplinkMessage } from "../../shared/transport/port.js";
import { parseTopic } from "../../shared/wire/topic.js";
import { Sequence } from "./sequence.js";

/** What an uplink needs of its broker. */
export interface UplinkHost {
  /** Sends to one device if it is connected; waits for nobody. */
  send(device: DeviceId, topic: string, payload: Uint8Array): void;
  /** Sends to everyone and keeps a copy for later subscribers. */
  retain(topic: string, payload: Uint8Array): void;
}

type Handler = (message: UplinkMessage) => Promise<void>;

/** All uplinks of a broker: of each task, the one opened last gets the messages. */
export class Uplinks {
  readonly #host: UplinkHost;
  readonly #handlers = new Map<TaskId, Handler>();
  readonly #sequence = new Sequence<DeviceId>();

  constructor(host: UplinkHost) {
    this.#host = host;
  }

  /** An uplink, without traffic before `open`. */
  create(task: TaskId): Uplink {
    return new BrokerUplink(task, this.#host, this.#handlers);
  }

  /**
   * Resolves when the message was handled, after all earlier ones of the device, be they of an earlier connection.
   * Rejects with what the handler threw, or `transport-closed` when nobody serves the task.
   */
  handle(device: DeviceId, message: UplinkMessage): Promise<void> {
    return this.#sequence.run(device, () => this.#route(message));
  }

  async #route(message: UplinkMessage): Promise<void> {
    const task = parseTopic(message.topic)?.task;
    // Looked up when its turn has come: a message that waited while the uplink was closed is not handled.
    const handler = task === undefined ? undefined : this.#handlers.get(task);
    if (handler === undefined) {
      throw new HeadwaterError("transport-closed", `${message.topic}: no server is there for its task`);
    }
    await handler(message);
  }
}

class BrokerUplink implements Uplink {
  readonly #task: TaskId;
  readonly #host: UplinkHost;
  readonly #handlers: Map<TaskId, Handler>;
  #handler: Handler | undefined;
  #isClosed = false;

  constructor(task: TaskId, host: UplinkHost, handlers: Map<TaskId, Handler>) {
    this.#task = task;
    this.#host = host;
    this.#handlers = handlers;
  }

  open(handler: Handler): void {
    assert(this.#handler === undefined && !this.#isClosed, "an uplink is opened once");
    // One of its own, so that closing removes this uplink's and no other's.
    this.#handler = (message) => handler(message);
    this.#handlers.set(this.#task, this.#handler);
  }

  async send(device: DeviceId, topic: string, payload: Uint8Array): Promise<void> {
    this.#assertOpen(topic);
    this.#host.send(device, topic, payload);
  }

  async retain(topic: string, payload: Uint8Array): Promise<void> {
    this.#assertOpen(topic);
    this.#host.retain(topic, payload);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#handlers.get(this.#task) === this.#handler) this.#handlers.delete(this.#task);
  }

  #assertOpen(topic: string): void {
    if (this.#isClosed) throw new HeadwaterError("transport-closed", `${topic}: the uplink is closed`);
  }
}
