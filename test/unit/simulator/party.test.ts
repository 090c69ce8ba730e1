import { expect, test } from "vitest";
import { HeadwaterError } from "../../../shared/error.js";
import { VirtualClock } from "../../../simulator/clock.js";
import { guardClock } from "../../../simulator/guard.js";
import type { Life } from "../../../simulator/life.js";
import { Party } from "../../../simulator/party.js";

/** A party whose program is the number of its life. */
function createParty(clock: VirtualClock, start: (life: Life, count: number) => Promise<void>) {
  const lives: Life[] = [];
  let deaths = 0;
  const party = new Party<number>({
    clock,
    disks: {},
    build: async (life) => lives.push(life),
    start: (count) => start(lives[count - 1]!, count),
    onDeath: () => deaths++,
  });
  return { party, deaths: () => deaths };
}

test("a process that cannot start for want of disk is started again until it can", async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const { party, deaths } = createParty(clock, async (_, count) => {
    if (count < 3) throw new HeadwaterError("storage-full", "no room");
  });
  await party.start();
  expect([party.hasStarted, party.program]).toEqual([false, undefined]);
  await clock.run();
  expect([party.hasStarted, party.program, deaths()]).toEqual([true, 3, 2]);
});

test("a mistake of ours is not taken for bad luck", async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const { party } = createParty(clock, () => Promise.reject(new Error("a bug")));
  await expect(party.start()).rejects.toThrow("a bug");
});

test("only one process runs at a time, and a crash ends what it had scheduled", async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const happened: number[] = [];
  const { party } = createParty(clock, async (life, count) => {
    guardClock(clock, life).after(100, () => happened.push(count));
  });
  await party.start();
  await party.start();
  expect(party.program).toBe(1);
  party.crash();
  party.crash();
  await party.start();
  await clock.run();
  expect(happened).toEqual([2]);
});
