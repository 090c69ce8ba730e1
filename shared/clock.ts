// Time as a port. Only this file reads the machine's clock or sets its timers.

import { HeadwaterError } from "./error.js";

/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

/** Where time comes from: the machine, or a simulation's virtual clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since some moment: unlike `now`, never set by anybody. */
  elapsed(): number;
  /** Runs `action` once, `delayMs` from now (0 = a later turn of the event loop). */
  after(delayMs: number, action: () => void): Cancel;
  /** Resolves on a later turn of the event loop, so that long work lets input and output through. */
  turn(): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Resolves after `delayMs`; rejects with code `aborted` as soon as `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      reject(new HeadwaterError("aborted", `wait of ${delayMs} ms was aborted`));
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
