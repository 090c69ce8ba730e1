// The way of a message, the same for every source: held until there is a clock, written to the raw log, brought to the
// pipeline, and only then safe. After a start, and for every new task, first what the log has is brought again.
//
// Claims. What was acknowledged is in the log, so a kill loses nothing (a power cut: see `Durability`). A message whose
// acknowledgement got lost comes again, so it is in the log twice: at least once in. The pipeline's state and what is
// stored of it depend on the log alone, and never on where a kill struck: exactly once from there on.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { Stateful } from "../../shared/pipeline/state.js";
import { type Mark, START } from "../checkpoint/mark.js";
import type { Replayable } from "../checkpoint/progress.js";
import { isSane } from "../ingest/clock.js";
import { HeldMessages } from "../ingest/held.js";
import type { MessageSink, SourceMessage } from "../ingest/sources/port.js";
import type { LoggedMessage, RawLog } from "./raw-log.js";

/** Messages replayed between two turns of the event loop. */
const PAGE_MESSAGES = 100;

/** What is replayed into: the agent. */
export interface Resumable {
  resume(replayable: Replayable): Mark;
  caughtUp(): void;
}

export interface RecorderOptions {
  readonly log: RawLog;
  readonly agent: Resumable;
  readonly inputs: Stateful;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** Where a message is in all that came. */
export interface Place {
  readonly mark: Mark;
  /** No process has received it before. */
  readonly isNew: boolean;
}

/** What the sources of one task bring, and who takes it. */
export interface Serving {
  /** The file that is the only source and can be read again, so that it need not be logged; else undefined. */
  readonly file: string | undefined;
  /** Event time of this source is when its messages come. */
  isTimedByArrival(source: string): boolean;
  /** Decodes a message and brings it to the pipeline, at once. Never throws because of it. */
  receive(message: SourceMessage, place: Place): void;
}

/** Takes the messages of all sources, for the task that is served. */
export class Recorder implements MessageSink {
  readonly #options: RecorderOptions;
  readonly #held: HeldMessages;
  #serving: Serving | undefined;
  /** Messages go straight on: everything before them has. */
  #isLive = false;
  #isClosed = false;

  constructor(options: RecorderOptions) {
    const { clock, counters } = options;
    this.#options = options;
    this.#held = new HeldMessages({ clock, counters, release: (message) => void this.#record(message) });
  }

  /** Never rejects. */
  take(message: SourceMessage): Promise<void> {
    this.#held.releaseIfSane();
    if (!isSane(message.arrivalMs) && this.#serving?.isTimedByArrival(message.source) === true) {
      // Acknowledged though only in memory: a broker that waits for it would hold back every other source of ours.
      this.#held.add(message);
      return Promise.resolve();
    }
    return this.#record(message);
  }

  /** True while a file is its own log: only its data moves event time. */
  get isFile(): boolean {
    return this.#serving?.file !== undefined;
  }

  /** Another task is about to be served: what comes meanwhile is for it, and only logged. */
  pause(): void {
    this.#isLive = false;
  }

  /**
   * From now on messages are for this task. Returns where a file that is read instead of the log goes on, and resolves
   * `caughtUp` when the log has been brought again; until then what comes is logged and waits its turn there.
   */
  serve(serving: Serving): { readonly position: number; readonly caughtUp: Promise<void> } {
    const { agent, log, inputs } = this.#options;
    this.#serving = serving;
    this.#isLive = false;
    const { file } = serving;
    const isLogged = file === undefined;
    const mark = agent.resume({ log: isLogged ? log : undefined, file: file ?? "", inputs });
    if (isLogged) return { position: 0, caughtUp: this.#replay(serving, mark.seq) };
    // What comes of it next is what came after the mark.
    this.#isLive = true;
    return { position: mark.position, caughtUp: Promise.resolve() };
  }

  /** Where a file that is logged goes on: after what is in the log, whether or not it has been brought again yet. */
  loggedPosition(source: string): number {
    return this.#options.log.position(source) ?? 0;
  }

  /** Brings to disk what waits; nothing is taken afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#held.close();
    this.#options.log.flush();
  }

  #record(message: SourceMessage): Promise<void> {
    const serving = this.#serving;
    if (this.#isClosed || serving === undefined) return Promise.resolve();
    const { file } = serving;
    if (file !== undefined) {
      const mark = { seq: 0, file, position: message.position ?? 0 };
      // Otherwise it is read again, for the next task.
      if (this.#isLive) serving.receive(message, { mark, isNew: true });
      return Promise.resolve();
    }
    const { seq, safe } = this.#options.log.append(message);
    if (this.#isLive) serving.receive(message, { mark: { ...START, seq }, isNew: true });
    // What can be read again need not wait: its position is in the log with it, or neither is.
    return message.position === undefined ? safe : Promise.resolve();
  }

  async #replay(serving: Serving, afterSeq: number): Promise<void> {
    const { clock, log, agent, counters } = this.#options;
    const newAfterSeq = log.lastSeq;
    const isOver = () => this.#isClosed || this.#serving !== serving;
    let last = afterSeq;
    for (;;) {
      await clock.turn();
      if (isOver()) return;
      const page = this.#read(last);
      for (const { seq, ...message } of page)
        serving.receive(message, { mark: { ...START, seq }, isNew: seq > newAfterSeq });
      counters.add("log.replayed", page.length);
      if (page.length === 0) break;
      last = page.at(-1)!.seq;
    }
    this.#isLive = true;
    agent.caughtUp();
  }

  // What a damaged log does not give is lost; what comes from here on is not.
  #read(afterSeq: number): readonly LoggedMessage[] {
    const { log, counters, logger } = this.#options;
    try {
      return log.read(afterSeq, PAGE_MESSAGES);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add("log.unreadable");
      logger.error({ afterSeq, error: messageOf(error) }, "the raw log cannot be read any further");
      return [];
    }
  }
}
