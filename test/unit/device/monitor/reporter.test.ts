import { beforeEach, expect, test } from "vitest";
import { Reporter } from "../../../../device/monitor/reporter.js";
import { randomStream } from "../../../../shared/random.js";
import { ManualClock } from "../../../support/manual-clock.js";

const REPORT_MS = 100_000;
let clock: ManualClock;
let sent: number[];

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
});

function start(seed = "one"): Reporter {
  const startMs = clock.elapsed();
  return new Reporter({
    ...{ clock, reportMs: REPORT_MS, random: randomStream(seed, "report") },
    send: () => sent.push(clock.elapsed() - startMs),
  });
}

test("sends at its interval, the first within it: a fleet that was switched on at once spreads", async () => {
  start("one");
  await clock.advance(3 * REPORT_MS);
  expect(sent).toHaveLength(3);
  expect(sent[1]! - sent[0]!).toBe(REPORT_MS);
  const [first] = sent.splice(0);
  clock = new ManualClock();
  start("two");
  await clock.advance(REPORT_MS);
  expect(sent[0]).not.toBe(first);
});

test("what must not wait goes at once, and then at most once in a tenth of the interval", async () => {
  const reporter = start();
  reporter.soon();
  await clock.advance(0);
  expect(sent).toEqual([0]);
  for (let i = 0; i < 50; i++) {
    reporter.soon();
    await clock.advance(REPORT_MS / 50);
  }
  expect(sent.length).toBeLessThanOrEqual(11);
  expect(sent.every((at, i) => i === 0 || at - sent[i - 1]! >= REPORT_MS / 10)).toBe(true);
});

test("a clock that somebody sets changes nothing", async () => {
  const reporter = start();
  reporter.soon();
  await clock.advance(0);
  clock.set(clock.now() - 1e9);
  reporter.soon();
  await clock.advance(REPORT_MS / 10);
  expect(sent).toHaveLength(2);
});

test("nothing is sent after the end", async () => {
  const reporter = start();
  reporter.stop();
  reporter.soon();
  await clock.advance(3 * REPORT_MS);
  expect(sent).toEqual([]);
});
