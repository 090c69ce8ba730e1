// A rollout without shadow and canary, as most tests of rounds want it.

import type { RolloutSpec } from "../../shared/task/task.js";

/** What passes the gate is served by all at once. */
export const noTrial: Pick<RolloutSpec, "shadow" | "canary" | "guard"> = {
  shadow: undefined,
  canary: undefined,
  guard: {
    checkMs: 60_000,
    maxRegression: 0.05,
    invalid: 0.001,
    latency: 3,
    silentMs: 900_000,
    silentShare: 0.5,
    failedShare: 0.5,
    failures: 3,
  },
};
