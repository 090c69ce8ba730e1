// Waiting for what real sockets and processes do, without guessing how long they take.

import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const LOOK_MS = 2;

/** Looks until the condition holds; throws when it does not in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const giveUpMs = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > giveUpMs) throw new Error(`not so within ${patienceMs} ms: ${condition}`);
    await sleep(LOOK_MS);
  }
}
