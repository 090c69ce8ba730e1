// Waiting for what real sockets and processes do, without guessing how long they take.

import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const LOOK_MS = 2;

/** Looks until the condition holds; throws when it does not within ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += LOOK_MS) {
    if (waitedMs > PATIENCE_MS) throw new Error(`not so within ${PATIENCE_MS} ms: ${condition}`);
    await sleep(LOOK_MS);
  }
}
