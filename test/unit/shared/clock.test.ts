import { describe, expect, test } from "vitest";
import type { Clock } from "../../../shared/clock.js";
import { sleep } from "../../../shared/clock.js";

function handDrivenClock(): { clock: Clock; fire: () => void; pending: () => number } {
  const actions = new Set<() => void>();
  return {
    clock: {
      now: () => 0,
      elapsed: () => 0,
      after(_delayMs, action) {
        actions.add(action);
        return () => actions.delete(action);
      },
      turn: () => Promise.resolve(),
    },
    fire: () => {
      for (const action of actions) action();
    },
    pending: () => actions.size,
  };
}

describe("sleep", () => {
  test("resolves when its timer fires", async () => {
    const { clock, fire } = handDrivenClock();
    const slept = sleep(clock, 1000);
    fire();
    await expect(slept).resolves.toBeUndefined();
  });

  test("rejects at once when aborted, and leaves no timer behind", async () => {
    const { clock, pending } = handDrivenClock();
    const controller = new AbortController();
    const slept = sleep(clock, 1000, controller.signal);
    controller.abort();
    await expect(slept).rejects.toMatchObject({ code: "aborted" });
    expect(pending()).toBe(0);
  });

  test("does not begin when the signal was aborted before", async () => {
    const { clock, pending } = handDrivenClock();
    await expect(sleep(clock, 1000, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
    expect(pending()).toBe(0);
  });
});
