import { describe, expect, test } from "vitest";
import { Counters } from "../../../../shared/counters.js";
import { Aligner } from "../../../../shared/pipeline/aligner.js";
import type { LatePolicy } from "../../../../shared/task/task.js";
import { row } from "../../../support/pipeline.js";

const policy: LatePolicy = {
  disorderMs: 10,
  // biome-ignore lint/suspicious/noThenProperty: the policy's own word; the value is never awaited.
  then: "drop",
  idleMs: 100,
  futureMs: 50,
  ancientMs: 1e12,
  allowedMs: 0,
};

function alignerOf(late: Partial<LatePolicy> = {}, bounds = { maxPending: 100 }) {
  const counters = new Counters();
  const aligner = new Aligner({ late: [{ ...policy, ...late }], counters, ...bounds });
  const refused: string[] = [];
  const offer = (timeMs: number, nowMs?: number) => {
    const verdict = aligner.offer({ source: 0, row: row(timeMs), raw: undefined }, nowMs);
    if (verdict !== "fits") refused.push(verdict);
  };
  const takeAll = () => {
    const times: number[] = [];
    for (let next = aligner.take(); next !== undefined; next = aligner.take()) times.push(next.row.timeMs);
    return times;
  };
  return { aligner, counters, refused, offer, takeAll };
}

describe("aligner", () => {
  test("rows come out in event time once they are `disorder` behind the newest", () => {
    const { offer, takeAll } = alignerOf();
    for (const timeMs of [100, 95, 98]) offer(timeMs);
    expect(takeAll()).toEqual([]);
    offer(106);
    expect(takeAll()).toEqual([95]);
    offer(110);
    expect(takeAll()).toEqual([98, 100]);
  });

  test("without disorder a row comes out at once", () => {
    const { offer, takeAll } = alignerOf({ disorderMs: 0 });
    offer(5);
    expect(takeAll()).toEqual([5]);
  });

  test("a row on the watermark is in time, one before it is late", () => {
    const { offer, takeAll, refused } = alignerOf();
    offer(100);
    offer(90);
    offer(89);
    expect(takeAll()).toEqual([90]);
    expect(refused).toEqual(["late"]);
  });

  test("a row too far ahead of the mapped clock is refused and moves nothing", () => {
    const { aligner, offer, refused } = alignerOf();
    offer(1_000, 1_000);
    offer(1_051, 1_000);
    expect(refused).toEqual(["future"]);
    expect(aligner.watermarkMs).toBe(990);
    offer(1_050, 1_000);
    expect(aligner.watermarkMs).toBe(1_040);
  });

  test("an idle source moves on from its own last event time by the time that passed", () => {
    const { aligner, offer } = alignerOf();
    offer(1_000, 5_000_000); // a feed that runs far behind the clock
    aligner.advance(5_000_099);
    expect(aligner.watermarkMs).toBe(990);
    aligner.advance(5_000_100);
    expect(aligner.watermarkMs).toBe(1_090);
  });

  test("a replay of 2013 is not late, and a paused one drops nothing", () => {
    const { aligner, offer, counters, takeAll } = alignerOf();
    const march2013 = Date.UTC(2013, 2, 1);
    offer(march2013, march2013);
    for (let tick = 0; tick < 10; tick++) aligner.advance(march2013); // the mapped clock stands still
    offer(march2013 + 5, march2013);
    offer(march2013 + 20);
    expect(takeAll()).toEqual([march2013, march2013 + 5]);
    expect(counters.toJSON()).toEqual({});
  });

  test("the watermark never moves back, not even when the clock does", () => {
    const { aligner, offer } = alignerOf();
    offer(1_000, 1_000);
    aligner.advance(1_500);
    const reached = aligner.watermarkMs;
    aligner.advance(200);
    offer(1_495, 1_500);
    expect(aligner.watermarkMs).toBe(reached);
  });

  test("a full buffer lets the oldest go early and counts it", () => {
    const { aligner, offer, counters, takeAll } = alignerOf({ disorderMs: 1_000 }, { maxPending: 3 });
    for (const timeMs of [5, 4, 3, 2]) offer(timeMs);
    expect(takeAll()).toEqual([2]);
    expect(aligner.pending).toBe(3);
    expect(counters.get("readings.released-early")).toBe(1);
  });

  test("at the end of data everything that waited comes out in order", () => {
    const { aligner, offer, takeAll } = alignerOf();
    for (const timeMs of [7, 3, 9, 5]) offer(timeMs);
    aligner.finish();
    expect(takeAll()).toEqual([3, 5, 7, 9]);
  });
});
