import { expect, test } from "vitest";
import { randomStream } from "../../../../shared/random.js";
import { createFaultySensor } from "../../../../simulator/sensors/faults.js";

const never = { gap: 0, stuck: 0, spike: 0, lasting: 5, spikeBy: 100 };

function run(faults: Partial<typeof never>, values = 20_000): (number | null)[] {
  const sensor = createFaultySensor({ ...never, ...faults }, randomStream("1", "sensor"));
  return Array.from({ length: values }, (_, index) => sensor(index));
}

test("a sensor without faults says what is true", () => {
  expect(run({}, 100)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test("gaps are spells of silence, and end", () => {
  const said = run({ gap: 0.01 });
  const silent = said.filter((value) => value === null).length;
  // One spell begins per 100 readings and lasts 6 on average.
  expect(silent / said.length).toBeGreaterThan(0.03);
  expect(silent / said.length).toBeLessThan(0.1);
  expect(said.at(-1)).not.toBeUndefined();
});

test("a stuck sensor repeats its last value for a while", () => {
  const said = run({ stuck: 0.01 });
  const repeated = said.filter((value, index) => index > 0 && value === said[index - 1]).length;
  expect(repeated).toBeGreaterThan(500);
  expect(said.some((value, index) => value === index && index > 10_000)).toBe(true);
});

test("a spike is off by what it is said to be, up or down, for one reading", () => {
  const off = run({ spike: 0.01 }).map((value, index) => value! - index);
  expect(new Set(off)).toEqual(new Set([0, -100, 100]));
});

test("the same seed fails in the same way", () => {
  expect(run({ gap: 0.02, stuck: 0.02, spike: 0.02 })).toEqual(run({ gap: 0.02, stuck: 0.02, spike: 0.02 }));
});
