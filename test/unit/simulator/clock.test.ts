import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sleep, systemClock } from "../../../shared/clock.js";
import { VirtualClock } from "../../../simulator/clock.js";

function clockAt0(options: Omit<ConstructorParameters<typeof VirtualClock>[0], "startMs"> = {}) {
  return new VirtualClock({ startMs: 0, ...options });
}

describe("order", () => {
  test("events happen in order of time, then of scheduling, whatever order they were scheduled in", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 40 }), async (delays) => {
        const clock = clockAt0();
        const happened: (readonly [atMs: number, index: number])[] = [];
        delays.forEach((delayMs, index) => {
          clock.after(delayMs, () => happened.push([clock.now(), index]));
        });
        await clock.run();
        const expected = delays.map((delayMs, index) => [delayMs, index] as const);
        expect(happened).toEqual(expected.toSorted(([a, i], [b, j]) => a - b || i - j));
      }),
      { numRuns: 50 },
    );
  });

  test("what an event sets in motion without timers is over before the next event", async () => {
    const clock = clockAt0();
    const log: string[] = [];
    clock.after(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => log.push("first is over"));
    });
    clock.after(1, () => log.push("second"));
    await clock.run();
    expect(log).toEqual(["first is over", "second"]);
  });

  test("an awaited event holds time up until its real work is done", async () => {
    const clock = clockAt0();
    const log: string[] = [];
    clock.afterAwaiting(1, async () => {
      for (let turns = 0; turns < 5; turns++) await systemClock.turn();
      log.push("worked");
    });
    clock.after(2, () => log.push("later"));
    await clock.run();
    expect(log).toEqual(["worked", "later"]);
  });

  test("a turn lets everything scheduled for now go first", async () => {
    const clock = clockAt0();
    const log: string[] = [];
    void sleep(clock, 0).then(() => log.push("scheduled"));
    void clock.turn().then(() => log.push("turned"));
    await clock.run();
    expect(log).toEqual(["scheduled", "turned"]);
  });

  test("a cancelled event does not happen, and time does not stop for it", async () => {
    const clock = clockAt0();
    const cancel = clock.after(5, () => expect.unreachable());
    cancel();
    expect(await clock.run()).toBe("idle");
    expect(clock.now()).toBe(0);
  });

  test("delays are whole milliseconds, and none lies in the past", async () => {
    const clock = clockAt0();
    const happened: number[] = [];
    clock.after(0.2, () => happened.push(clock.now()));
    clock.after(-7, () => happened.push(clock.now()));
    await clock.run();
    expect(happened).toEqual([0, 1]);
    expect(() => clock.after(Number.NaN, () => undefined)).toThrow("NaN ms is no delay");
  });
});

describe("ends", () => {
  test("a run ends when its condition holds, at its horizon, or when nothing is left", async () => {
    const clock = clockAt0();
    let ticks = 0;
    const tick = () => {
      ticks++;
      if (ticks < 20) clock.after(10, tick);
    };
    tick();
    expect(await clock.run({ until: () => ticks === 3 })).toBe("until");
    expect(clock.now()).toBe(20);
    expect(await clock.run({ horizonMs: 45 })).toBe("horizon");
    expect([clock.now(), ticks]).toEqual([45, 5]);
    expect(await clock.run()).toBe("idle");
    expect([clock.now(), ticks]).toEqual([190, 20]);
  });

  test("what goes on without time passing ends at the event limit", async () => {
    const clock = clockAt0();
    const spin = () => {
      clock.after(0, spin);
    };
    spin();
    expect(await clock.run({ maxEvents: 100 })).toBe("max-events");
  });
});

describe("mistakes", () => {
  test("what an event throws ends the run, and the next run goes on after it", async () => {
    const clock = clockAt0();
    clock.after(1, () => {
      throw new Error("a bug");
    });
    clock.after(2, () => undefined);
    await expect(clock.run()).rejects.toThrow("a bug");
    expect(await clock.run()).toBe("idle");
    expect(clock.now()).toBe(2);
  });

  test("a rejection that nobody handles ends the run in the very event that caused it", async () => {
    const clock = clockAt0();
    clock.after(1, () => void Promise.reject(new Error("forgotten")));
    clock.after(2, () => expect.unreachable());
    await expect(clock.run()).rejects.toThrow("forgotten");
    expect(clock.now()).toBe(1);
  });

  test("expected errors are part of the simulation", async () => {
    const clock = clockAt0({ isExpected: (error) => error === "expected" });
    clock.after(1, () => {
      throw "expected";
    });
    clock.after(2, () => void Promise.reject("expected"));
    expect(await clock.run()).toBe("idle");
  });

  test("outside of a run unhandled rejections belong to whoever took them before", async () => {
    const before = process.listeners("unhandledRejection");
    const clock = clockAt0();
    clock.after(1, () => expect(process.listeners("unhandledRejection")).toHaveLength(1));
    await clock.run();
    expect(process.listeners("unhandledRejection")).toEqual(before);
  });
});

test("the checker is called after every event, once what it set in motion is over", async () => {
  let settled = 0;
  const seen: number[] = [];
  const clock = clockAt0({ afterEach: () => seen.push(settled) });
  for (let i = 0; i < 3; i++) {
    clock.after(i, () => {
      void Promise.resolve().then(() => settled++);
    });
  }
  await clock.run();
  expect(seen).toEqual([1, 2, 3]);
});
