// The shell around participation: one inbox, one event at a time, and the hands that do what was decided.
// Everything long runs beside the inbox and reports back to it.

import { unreachable } from "../../shared/assert.js";
import type { Cancel } from "../../shared/clock.js";
import type { UpdateId } from "../../shared/id.js";
import { Inbox } from "../../shared/inbox.js";
import { Retry } from "../../shared/retry.js";
import type { Observe } from "../fact.js";
import { type CourierOptions, UpdateCourier } from "../update/courier.js";
import { WorkBench } from "./bench.js";
import { decide } from "./decide.js";
import {
  initialParticipation,
  type Participation,
  type ParticipationCommand,
  type ParticipationEvent,
  type PendingUpdate,
} from "./state.js";
import type { RoundWork } from "./work.js";

const HELLO_RETRY = { firstMs: 30_000, maxMs: 300_000, jitter: 0.2 } as const;
/** No wait is longer, whatever a server asks for. */
const WAIT_MAX_MS = 3_600_000;
/** Messages that wait to be handled: a flood beyond is dropped and counted, and the device's own events still fit. */
const MESSAGES_MAX = 1000;
const EVENTS_MAX = 2000;

/** What a participant stands on. */
export interface ParticipantOptions extends CourierOptions {
  readonly observe: Observe;
  /** The work of the adopted task; asked for only once there is one. */
  readonly work: () => RoundWork;
  /** Says hello, naming the update that waits for its receipt. */
  readonly sayHello: (pending: UpdateId | undefined) => void;
}

/** Takes part in the rounds of one server. */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #inbox: Inbox<ParticipationEvent>;
  readonly #courier: UpdateCourier;
  readonly #bench: WorkBench;
  readonly #helloRetry: Retry;
  #cancelHello: Cancel = () => undefined;
  #state: Participation = initialParticipation;
  #isStopped = false;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.#inbox = new Inbox({ handle: (event) => this.#handle(event), limit: EVENTS_MAX });
    this.#courier = new UpdateCourier(options, (event) => this.post(event));
    this.#bench = new WorkBench(options.clock, options.work, (event) => this.post(event));
    this.#helloRetry = new Retry(HELLO_RETRY, options.random);
  }

  get state(): Participation {
    return this.#state;
  }

  /** Resolves when the participant knows what the outbox holds, oldest first. */
  recover(outbox: readonly PendingUpdate[]): Promise<void> {
    return this.#inbox.post({ type: "recovered", outbox });
  }

  /** What a verified message said: handled in order, soon. */
  hear(event: ParticipationEvent): void {
    if (this.#inbox.length < MESSAGES_MAX) this.post(event);
    else this.#options.counters.add("messages.flood");
  }

  /** What happened to the device itself: handled in order, soon. */
  post(event: ParticipationEvent): void {
    // A rejection can only be a bug of ours: it is left unhandled, so that it is seen.
    if (!this.#isStopped) void this.#inbox.post(event);
  }

  /** Everything under way is given up, and nothing happens any more. The outbox is on disk. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelHello();
    this.#bench.clear();
    this.#courier.stop();
  }

  async #handle(event: ParticipationEvent): Promise<void> {
    if (this.#isStopped) return;
    const { state, commands } = decide(this.#state, event);
    this.#state = state;
    if (event.type === "update-stored") this.#options.observe(event);
    for (const command of commands) this.#execute(command);
  }

  #execute(command: ParticipationCommand): void {
    switch (command.type) {
      case "say-hello":
        this.#options.sayHello(this.#state.outbox.at(-1)?.updateId);
        this.#helloAfter(this.#helloRetry.next());
        break;
      case "hello-later":
        this.#helloLater(command.afterMs);
        break;
      case "stop-asking":
        this.#helloRetry.reset();
        this.#cancelHello();
        break;
      case "decline":
      case "abandon":
      case "prepare":
      case "work":
        this.#executeWork(command);
        break;
      case "store":
      case "settle":
      case "evict":
      case "begin":
      case "send-chunks":
      case "commit":
      case "stop-upload":
        this.#executeUpload(command);
        break;
      default:
        unreachable(command);
    }
  }

  #executeWork(
    command: Extract<ParticipationCommand, { type: "decline" | "abandon" | "prepare" | "work" }>,
  ): void {
    const { observe, outgoing } = this.#options;
    switch (command.type) {
      case "decline":
        this.#bench.clear();
        void outgoing.send("decline", { v: 1, round: command.round, reason: command.reason });
        observe({ type: "declined", round: command.round, reason: command.reason });
        break;
      case "abandon":
        this.#bench.clear();
        observe({ type: "abandoned", round: command.round, reason: command.reason });
        break;
      case "prepare":
        this.#bench.prepare(command.offer);
        break;
      case "work":
        observe({ type: "training", round: command.offer.round, kind: command.offer.kind });
        this.#bench.perform(command.offer, command.base);
        break;
      default:
        unreachable(command);
    }
  }

  #executeUpload(command: UploadCommand): void {
    const { observe, counters } = this.#options;
    switch (command.type) {
      case "store":
        this.#bench.clear();
        this.#courier.store(command.update);
        break;
      case "settle": {
        const { update, status, reason } = command;
        this.#courier.forget(update.updateId);
        observe({ type: "receipt", ...update, status, reason });
        break;
      }
      case "evict":
        this.#courier.forget(command.update.updateId);
        counters.add("updates.evicted");
        observe({ type: "update-dropped", ...command.update });
        break;
      case "begin":
        this.#courier.begin(command.updateId);
        break;
      case "send-chunks":
        this.#courier.sendChunks(command.updateId, command.ranges);
        break;
      case "commit":
        this.#courier.commit(command.updateId);
        break;
      case "stop-upload":
        this.#courier.stop();
        break;
      default:
        unreachable(command);
    }
  }

  #helloLater(afterMs: number | "back-off"): void {
    if (afterMs === "back-off") {
      this.#helloAfter(this.#helloRetry.next());
      return;
    }
    // The server is there and has answered.
    this.#helloRetry.reset();
    this.#helloAfter(Math.min(afterMs, WAIT_MAX_MS));
  }

  #helloAfter(delayMs: number): void {
    this.#cancelHello();
    this.#cancelHello = this.#options.clock.after(delayMs, () => this.post({ type: "hello-due" }));
  }
}

type UploadCommand = Extract<
  ParticipationCommand,
  { type: "store" | "settle" | "evict" | "begin" | "send-chunks" | "commit" | "stop-upload" }
>;
