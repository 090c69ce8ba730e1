// What lies between messages and the pipeline and remembers something: the clock that event times are judged by, and
// decoders of formats whose messages tell only what has changed. Their state is saved with the pipeline's.

import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import { memoryOf } from "./decoders/memory.js";
import type { Decode } from "./decoders/port.js";

/** The inputs of one device: its clock, and the decoders of the task that it follows. */
export class Inputs implements Stateful {
  readonly #eventClock: Stateful;
  #decoders: ReadonlyMap<string, Decode> = new Map();

  constructor(eventClock: Stateful) {
    this.#eventClock = eventClock;
  }

  /** From now on these, which have not heard anything yet. */
  follow(decoders: ReadonlyMap<string, Decode>): void {
    this.#decoders = decoders;
  }

  save(): Saved {
    const saved: SavedInputs = {
      eventClock: this.#eventClock.save(),
      decoders: memoryOf(this.#decoders).save(),
    };
    return saved;
  }

  /** Null: nothing has been heard. */
  restore(saved: Saved): void {
    const { eventClock, decoders } = (saved ?? NOTHING) as SavedInputs; // as `save` made it
    this.#eventClock.restore(eventClock);
    memoryOf(this.#decoders).restore(decoders);
  }
}

interface SavedInputs {
  readonly eventClock: Saved;
  readonly decoders: Saved;
}

const NOTHING: SavedInputs = { eventClock: null, decoders: null };
