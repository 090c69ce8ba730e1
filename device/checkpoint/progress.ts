// How far a deployment has come, in memory and on disk: where a restart begins, and which of what comes out of the
// pipeline again is on disk already.
//
// Rows are written more often than state, so after a kill the messages in between go through the pipeline again. What
// they lead to depends on them alone (see `Pipeline.push`), so everything up to the mark of the last write is dropped,
// and what comes after is new: each example is stored exactly once.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Logger } from "../../shared/log.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import type { Database } from "../../shared/storage/port.js";
import type { Stamp } from "../batched-writes.js";
import type { RawLog } from "../log/raw-log.js";
import { isWithin, type Mark, START } from "./mark.js";
import { isWorthCheckpoint } from "./policy.js";
import { CheckpointStore, type Written } from "./store.js";

/** What a device's messages can be brought again from. */
export interface Replayable {
  /** Undefined where nothing is logged. */
  readonly log: RawLog | undefined;
  /** The file that is all there is, and so its own log; empty when there is none. */
  readonly file: string;
  /** What lies between messages and the pipeline and remembers something: the clock, decoders. */
  readonly inputs: Stateful;
}

export interface ProgressOptions extends Replayable {
  readonly database: Database;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Of all that the pipeline's state depends on. */
  readonly spec: string;
  readonly pipeline: () => Stateful;
  /** What hears all that comes out of the pipeline, and remembers something. */
  readonly monitor?: Stateful | undefined;
}

/** One deployment's. */
export class Progress implements Stamp {
  readonly #options: ProgressOptions;
  readonly #store: CheckpointStore;
  readonly #written: Written | undefined;
  /** Messages up to this number are older than the task: they make examples, and nobody waits for predictions. */
  readonly #historySeq: number;
  /** The clock has yet to be moved on as it had been at the last write. */
  #owedClockMs: number | undefined;
  #mark = START;
  #clockMs: number | undefined;
  #stateBytes = 0;
  #since: { messages: number; bytes: number; ms: number };
  #checkpointMs: number | undefined;
  #isWanted = false;
  #hasClock = false;
  /** More has come than what was on disk at the start. */
  #isBeyond = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#store = new CheckpointStore(options.database);
    this.#written = this.#store.readWritten();
    this.#owedClockMs = this.#written?.clockMs;
    this.#historySeq = this.#readHistory();
    this.#since = { messages: 0, bytes: 0, ms: options.clock.now() };
  }

  /**
   * Hands the saved state to `take`, which throws when it cannot be taken up; says from where on messages are to be
   * brought again. State that is broken or foreign is set aside: then it is made anew from as far back as messages reach.
   */
  restore(take: (saved: { readonly pipeline: Saved; readonly monitor?: Saved }) => void): Mark {
    const { log, file, inputs, spec } = this.#options;
    inputs.restore(null);
    const found = this.#store.read(spec);
    if (found.kind === "unusable") this.#setAside(found.reason);
    if (found.kind === "found" && found.checkpoint.mark.file === file) {
      const { checkpoint, bytes } = found;
      if (attempt(() => take(checkpoint))) {
        inputs.restore(checkpoint.inputs);
        this.#mark = checkpoint.mark;
        this.#stateBytes = bytes;
        this.#hasClock = true;
      } else this.#setAside("broken");
    }
    if (this.#mark === START) this.#mark = { ...START, file };
    // A power cut may have taken the end of the log, but not what has come of it.
    log?.skipTo(Math.max(this.#mark.seq, this.#written?.mark.seq ?? 0));
    return this.#mark;
  }

  /** True when everything that comes of messages up to `mark` is on disk. */
  isWritten(mark: Mark): boolean {
    return this.#written !== undefined && isWithin(mark, this.#written.mark);
  }

  /** True when predictions for what comes of this message would be news of the past. */
  isHistory({ seq }: Mark): boolean {
    return seq > 0 && seq <= this.#historySeq;
  }

  /** Before the first message that is not on disk: the time its clock had been moved on to after the last that is. */
  takeOwedClockMs(): number | undefined {
    const owedMs = this.#owedClockMs;
    this.#owedClockMs = undefined;
    return owedMs;
  }

  /**
   * True when the clock may move on without messages. Not before one has come with a clock: a replay could not know when
   * that was, and a source that never spoke is idle from then on.
   */
  get hasClock(): boolean {
    return this.#hasClock;
  }

  /** A message of so many bytes has gone through the pipeline, with or without a clock. */
  reached(mark: Mark, bytes: number, hasClock: boolean): void {
    this.#mark = mark;
    this.#isBeyond ||= !this.isWritten(mark);
    this.#hasClock ||= hasClock;
    this.#clockMs = undefined;
    this.#since.messages++;
    this.#since.bytes += bytes;
    const ms = this.#options.clock.now() - this.#since.ms;
    if (isWorthCheckpoint({ ...this.#since, ms }, this.#stateBytes)) this.#isWanted = true;
  }

  /** The clock has been moved on without a message. */
  advanced(clockMs: number): void {
    this.#clockMs = clockMs;
    this.#isBeyond = true;
  }

  /** The next write brings the state along. */
  wantCheckpoint(): void {
    this.#isWanted = true;
  }

  get isDue(): boolean {
    return this.#isWanted;
  }

  /** When the state was last saved since the start. */
  get checkpointMs(): number | undefined {
    return this.#checkpointMs;
  }

  prepare(): void {
    this.#options.log?.flush();
  }

  write(): () => void {
    const mark = this.#mark;
    if (this.#isBeyond) this.#store.writeWritten({ mark, clockMs: this.#clockMs });
    if (!this.#isWanted) return () => undefined;
    const bytes = this.#writeCheckpoint(mark);
    return () => {
      this.#options.counters.add("checkpoints.written");
      this.#options.counters.add("checkpoints.bytes", bytes);
      this.#options.log?.release(mark.seq);
      this.#stateBytes = bytes;
      this.#checkpointMs = this.#options.clock.now();
      this.#startAnew();
    };
  }

  failed(): void {
    if (!this.#isWanted) return;
    this.#options.counters.add("checkpoints.not-written");
    // Rows first: the state can be made anew from the log.
    this.#startAnew();
  }

  #writeCheckpoint(mark: Mark): number {
    const { spec, pipeline, inputs, monitor } = this.#options;
    const checkpoint = { mark, pipeline: pipeline().save(), inputs: inputs.save() };
    return this.#store.write(spec, monitor ? { ...checkpoint, monitor: monitor.save() } : checkpoint);
  }

  // Said once, by the process that takes up the task: one that is killed before it has written a row leaves messages that are
  // older than the next process, but not older than the task.
  #readHistory(): number {
    const said = this.#store.readHistory();
    if (said !== undefined) return said;
    const seq = this.#written === undefined ? (this.#options.log?.lastSeq ?? 0) : 0;
    unlessDiskFails(() => this.#store.writeHistory(seq));
    return seq;
  }

  #startAnew(): void {
    this.#since = { messages: 0, bytes: 0, ms: this.#options.clock.now() };
    this.#isWanted = false;
  }

  #setAside(reason: "broken" | "other-format" | "other-task"): void {
    const { counters, logger } = this.#options;
    counters.add(`checkpoints.set-aside.${reason}`);
    logger.info({ reason }, "saved state not taken up: it is made anew from the messages that are kept");
    unlessDiskFails(() => this.#store.setAside());
  }
}

// What it says can be done without.
function unlessDiskFails(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof HeadwaterError)) throw error;
  }
}

// Whatever is wrong with it: state that was not made by this very code is no bug of ours.
function attempt(take: () => void): boolean {
  try {
    take();
    return true;
  } catch {
    return false;
  }
}
