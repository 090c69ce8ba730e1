// One direction of one connection. Like the byte stream below MQTT it keeps its order: a slow message holds
// up those behind it, unless its fate says that it may be overtaken.

import type { Clock } from "../clock.js";
import type { Fate } from "./fault.js";

interface Waiting {
  readonly arrive: () => void;
  arrived: boolean;
}

/** Messages under way. Holds at most `limit` of them. */
export class Lane {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #ordered: Waiting[] = [];
  #underWay = 0;
  #isClosed = false;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Calls `arrive` for every copy when it arrives; false, and never, when too many are under way. */
  carry(fate: Fate, arrive: () => void): boolean {
    if (this.#underWay + fate.copies > this.#limit) return false;
    for (let copy = 1; copy <= fate.copies; copy++) {
      this.#underWay++;
      const isOrdered = copy === 1 && fate.overtakes !== true;
      const land = isOrdered ? this.#queue(arrive) : arrive;
      this.#clock.after(fate.delayMs * copy, () => {
        this.#underWay--;
        if (!this.#isClosed) land();
      });
    }
    return true;
  }

  /** What is still under way never arrives. */
  close(): void {
    this.#isClosed = true;
    this.#ordered.length = 0;
  }

  /** Takes a place in the order; the answer marks the place as arrived. */
  #queue(arrive: () => void): () => void {
    const waiting: Waiting = { arrive, arrived: false };
    this.#ordered.push(waiting);
    return () => {
      waiting.arrived = true;
      while (this.#ordered[0]?.arrived) this.#ordered.shift()?.arrive();
    };
  }
}
