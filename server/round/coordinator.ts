// The shell around `decide`: events in order from one inbox; journal, then effect, then acknowledge.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import { BatchInbox } from "../../shared/inbox.js";
import type { Logger } from "../../shared/log.js";
import type { Command, Write } from "./command.js";
import { decide, nextWakeMs } from "./decide.js";
import type { Occurrence } from "./event.js";
import { type Journal, type JournalEntry, replay } from "./journal.js";
import type { Policy } from "./policy.js";
import { initialState, type RoundsState } from "./state.js";

/** How far the journal may lag behind in knowing that the server runs, while a round is open. */
const BEAT_MS = 30_000;
/** When what the disk refused is tried again. */
const RETRY_MS = 5_000;
/** Devices whose messages wait here get no acknowledgement beyond this, and send again. */
const INBOX_LIMIT = 10_000;
/** Most events in one transaction. */
const BATCH_MAX = 64;

export interface CoordinatorOptions {
  readonly journal: Journal;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Carries out a command. Never rejects for what a peer or the network did. */
  readonly execute: (command: Command, state: RoundsState) => Promise<void>;
  /** Told of our own mistakes. */
  readonly fail: (error: unknown) => void;
}

interface Posted {
  readonly occurrence: Occurrence;
  readonly attached: readonly Write[];
}

type Outcome = PromiseSettledResult<void>;

/** What one event comes to. */
interface Decision {
  readonly state: RoundsState;
  readonly commands: readonly Command[];
  /** Undefined when there is nothing to store. */
  readonly entry: JournalEntry | undefined;
}

/** Runs the rounds. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #inbox: BatchInbox<Posted>;
  #state: RoundsState = initialState;
  #cancelWake: Cancel = () => undefined;
  #aliveMs = 0;
  #isStopped = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#inbox = new BatchInbox({
      handle: (batch) => this.#handle(batch),
      limit: INBOX_LIMIT,
      batch: BATCH_MAX,
    });
  }

  /** The state as journaled. */
  get state(): RoundsState {
    return this.#state;
  }

  /** Rebuilds the state from the journal; what comes now is decided by the policy of now. */
  async load(): Promise<void> {
    const { journal, policy, clock } = this.#options;
    const content = await journal.load();
    if (content !== undefined) this.#state = replay(content);
    this.#aliveMs = content?.aliveMs ?? clock.now();
    await journal.begin(this.#state, policy, this.#aliveMs);
  }

  /** Resumes: whatever was unfinished is asked for again. After `load`, before anything else is posted. */
  recover(): Promise<void> {
    // A clock that was set back says nothing about how long we were away.
    return this.post({
      type: "recovered",
      downtimeMs: Math.max(0, this.#options.clock.now() - this.#aliveMs),
    });
  }

  /**
   * Resolves when the event is durable and its commands are carried out. Rejects with `storage-full` or
   * `storage-failed` when it could not be journaled: then nothing has happened. `attached` is stored with it.
   */
  post(occurrence: Occurrence, attached: readonly Write[] = []): Promise<void> {
    return this.#inbox.post({ occurrence, attached });
  }

  /** Handles nothing any more; stores nothing. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelWake();
    await this.#inbox.drained();
  }

  /** Decides all, journals all in one transaction, then carries out what was decided. */
  async #handle(batch: readonly Posted[]): Promise<readonly Outcome[]> {
    if (this.#isStopped) throw new HeadwaterError("aborted", "the server has stopped");
    try {
      return await this.#carryOut(await this.#store(this.#decide(batch)));
    } catch (error) {
      // What the disk refuses for all of them it may take for some.
      if (batch.length > 1 && error instanceof HeadwaterError) return this.#handleSingly(batch);
      throw error;
    } finally {
      if (!this.#isStopped) this.#scheduleWake();
    }
  }

  async #handleSingly(batch: readonly Posted[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const posted of batch) {
      const [outcome] = await Promise.allSettled([this.#handle([posted])]);
      outcomes.push(...(outcome.status === "fulfilled" ? outcome.value : [outcome]));
    }
    return outcomes;
  }

  async #store(decisions: readonly Decision[]): Promise<readonly Decision[]> {
    const entries = decisions.flatMap(({ entry }) => entry ?? []);
    if (entries.length > 0) await this.#options.journal.commit(entries);
    this.#state = decisions.at(-1)?.state ?? this.#state;
    return decisions;
  }

  #decide(batch: readonly Posted[]): readonly Decision[] {
    const nowMs = this.#options.clock.now();
    let before = this.#state;
    return batch.map(({ occurrence, attached }) => {
      const event = { ...occurrence, nowMs };
      const { state, writes, commands } = decide(before, event, this.#options.policy);
      const isChanged = state !== before;
      before = state;
      const entry: JournalEntry | undefined =
        isChanged || writes.length > 0
          ? {
              event: isChanged ? event : undefined,
              state,
              // What the event brings along is only wanted if it meant something.
              writes: isChanged ? [...writes, ...attached] : writes,
            }
          : undefined;
      return { state, commands, entry };
    });
  }

  /** Never rejects. */
  async #carryOut(decisions: readonly Decision[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const decision of decisions) outcomes.push(...(await Promise.allSettled([this.#execute(decision)])));
    return outcomes;
  }

  async #execute({ commands, state }: Decision): Promise<void> {
    for (const command of commands) await this.#options.execute(command, state);
  }

  #scheduleWake(delayMs = 0): void {
    this.#cancelWake();
    const wakeMs = nextWakeMs(this.#state);
    if (wakeMs === undefined) return;
    const nowMs = this.#options.clock.now();
    const atMs = Math.max(Math.min(wakeMs, nowMs + BEAT_MS), nowMs + delayMs);
    this.#cancelWake = this.#options.clock.after(atMs - nowMs, () => void this.#wake(wakeMs));
  }

  async #wake(wakeMs: number): Promise<void> {
    const { journal, clock, counters, logger } = this.#options;
    try {
      if (clock.now() >= wakeMs) return await this.post({ type: "tick" });
      // Nothing else depends on how long the server was away.
      if (this.#state.open !== null || this.#state.trial !== null) await journal.beat(clock.now());
      if (!this.#isStopped) this.#scheduleWake();
    } catch (error) {
      if (this.#isStopped) return;
      if (!(error instanceof HeadwaterError)) return this.#options.fail(error);
      counters.add("journal-failed");
      logger.error({ error: messageOf(error), retryMs: RETRY_MS }, "could not journal the passing of time");
      this.#scheduleWake(RETRY_MS);
    }
  }
}
