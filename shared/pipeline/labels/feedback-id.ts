// Answers by the id of the prediction they are about.

import { Queue } from "../queue.js";
import type { Saved } from "../state.js";
import type { FeatureRow } from "../types.js";
import { type AnswerOptions, AnswerReader } from "./answer.js";
import type { LabelBook, Progress, Verdict } from "./book.js";
import type { HeardLabel } from "./labeller.js";
import { predictionId } from "./prediction-id.js";

/** A waiting row, and what was said of it last. */
interface Slot {
  readonly timeMs: number;
  label: number | null;
  saidMs: number;
}

/**
 * An answer names a prediction, so its row is waiting before the answer can come. Of several answers the last said
 * counts; of those said at one time the last to come.
 */
export class IdBook implements LabelBook {
  readonly reachMs = 0;
  readonly #reader: AnswerReader;
  readonly #options: AnswerOptions;
  readonly #pipelineHash: string;
  readonly #slots = new Map<string, Slot>();
  // Of the waiting rows, in their order.
  readonly #ids = new Queue<string>();

  constructor(pipelineHash: string, options: AnswerOptions) {
    this.#pipelineHash = pipelineHash;
    this.#options = options;
    this.#reader = new AnswerReader(options);
  }

  see(): void {}

  expect({ entity, timeMs }: FeatureRow): void {
    const id = predictionId(this.#pipelineHash, entity, timeMs);
    this.#ids.push(id);
    this.#slots.set(id, { timeMs, label: null, saidMs: Number.NEGATIVE_INFINITY });
  }

  // Rows leave in the order they came.
  leave(): void {
    const id = this.#ids.shift();
    if (id !== undefined) this.#slots.delete(id);
  }

  hear(heard: HeardLabel): boolean {
    const slot = heard.id === undefined ? undefined : this.#slots.get(heard.id);
    if (slot === undefined) return false;
    if (this.#reader.isTooLate(slot.timeMs, heard)) return true;
    const label = this.#reader.read(heard.values[0]);
    if (label === undefined || heard.timeMs < slot.saidMs) return true;
    slot.label = label;
    slot.saidMs = heard.timeMs;
    return true;
  }

  judge(row: FeatureRow, { watermarkMs, isEnd }: Progress): Verdict {
    if (!isEnd && watermarkMs < this.dueMs(row)) return undefined;
    const id = this.#ids.peek();
    return (id === undefined ? null : this.#slots.get(id)?.label) ?? "labels.unlabelled";
  }

  dueMs({ timeMs }: FeatureRow): number {
    return timeMs + this.#options.label.waitMs + 1;
  }

  forget(): void {}

  staleMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  save(): Saved {
    return this.#ids.toArray().map((id) => [id, this.#slots.get(id)]);
  }

  restore(saved: Saved): void {
    for (const [id, slot] of saved as readonly (readonly [string, Slot])[]) {
      // as `save` made it
      this.#ids.push(id);
      this.#slots.set(id, slot);
    }
  }
}
