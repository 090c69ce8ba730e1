// One connection of one client to the memory broker, from CONNECT until either end lets go of it.

import type { Clock } from "../clock.js";
import type { DeviceId } from "../id.js";
import { Lane } from "./lane.js";
import type { LinkOptions, Message } from "./port.js";
import { matcherOf, type TopicMatcher } from "./topic-filter.js";

/** A message's topic and bytes. */
export interface TopicPayload {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What a session tells the link that made it. */
export interface SessionEvents {
  readonly onMessage: (message: Message) => void;
  /** The connection is gone. Called at once, while it is being ended. */
  readonly onEnd: () => void;
}

/** A connection's state. Ends once; afterwards nothing that was under way arrives. */
export class Session {
  readonly options: LinkOptions;
  readonly up: Lane;
  readonly down: Lane;
  readonly #events: SessionEvents;
  readonly #matchers: readonly TopicMatcher[];
  #hasEnded = false;

  constructor(
    options: LinkOptions,
    events: SessionEvents,
    lanes: { readonly clock: Clock; readonly limit: number },
  ) {
    this.options = options;
    this.#events = events;
    this.#matchers = options.subscriptions.map(matcherOf);
    this.up = new Lane(lanes.clock, lanes.limit);
    this.down = new Lane(lanes.clock, lanes.limit);
  }

  get clientId(): DeviceId {
    return this.options.clientId;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  subscribes(topic: string): boolean {
    return this.#matchers.some((matches) => matches(topic));
  }

  /** A message has reached the client. */
  deliver(message: Message): void {
    this.#events.onMessage(message);
  }

  /** Lets go of the connection; the broker sees to the will. */
  end(): void {
    this.#hasEnded = true;
    this.up.close();
    this.down.close();
    this.#events.onEnd();
  }
}
