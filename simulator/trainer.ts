// Training in virtual time: a job's result is there at virtual now + cost, never when a worker happened to be done.

import type { Job, JobResult, Trainer } from "../device/train/trainer.js";
import type { VirtualClock } from "./clock.js";

/** What a virtual trainer stands on. */
export interface VirtualTrainerOptions {
  readonly clock: VirtualClock;
  /** Does the work, in real time. Shared by all devices, closed by its owner. */
  readonly trainer: Trainer;
  /** Virtual duration of a job. */
  readonly costMs: (job: Job) => number;
}

/** A device's trainer. Jobs start at once and end in an event that awaits the real result. */
export function createVirtualTrainer({ clock, trainer, costMs }: VirtualTrainerOptions): Trainer {
  return {
    engine: trainer.engine,
    run<J extends Job>(job: J, signal?: AbortSignal): Promise<JobResult<J>> {
      const working = trainer.run(job, signal);
      // Whoever waits hears of a failure in virtual time; until then it is nobody's unhandled rejection.
      working.catch(() => undefined);
      return new Promise((resolve, reject) => {
        clock.afterAwaiting(costMs(job), () => working.then(resolve, reject));
      });
    },
    close: () => Promise.resolve(),
  };
}
