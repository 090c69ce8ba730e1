import { describe, expect, test } from "vitest";
import type { Reading } from "../../../../shared/pipeline/types.js";
import { pumpReadings } from "../../../../simulator/sensors/pumps.js";

const startMs = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

function run(options: { readonly seed?: string; readonly pump?: number; readonly days?: number } = {}) {
  const { seed = "1", pump = 0, days = 12 } = options;
  return [...pumpReadings({ seed, pump, startMs, days })];
}

function field(readings: readonly Reading[], name: string): number[] {
  return readings.flatMap(({ values }) => (typeof values[name] === "number" ? [values[name]] : []));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

describe("a pump's telemetry", () => {
  const readings = run();

  test("is one reading a minute for as many days as asked", () => {
    expect(readings).toHaveLength(12 * 1440);
    expect(readings.every(({ timeMs }, index) => timeMs === startMs + index * MINUTE_MS)).toBe(true);
    expect(new Set(readings.map(({ entity, source }) => `${source} ${entity}`))).toEqual(
      new Set(["pump pump-1"]),
    );
  });

  test("is the same for the same seed, and another for another seed or pump", () => {
    expect(run()).toEqual(readings);
    expect(run({ seed: "2" })).not.toEqual(readings);
    expect(run({ pump: 4 }).map(({ values }) => values)).not.toEqual(readings.map(({ values }) => values));
  });

  test("says what a pump would say, but for a few spikes", () => {
    const temperature = field(readings, "temperature");
    const usual = temperature.filter((value) => value > 10 && value < 90);
    expect(usual.length / temperature.length).toBeGreaterThan(0.997);
    expect(usual.length).toBeLessThan(temperature.length);
    expect(median(field(readings, "vibration"))).toBeGreaterThan(0.5);
    expect(median(field(readings, "load"))).toBeLessThan(1.1);
  });

  test("has gaps and stuck values, for less than a tenth of the time", () => {
    const silent = readings.filter(({ values }) => values.temperature === null).length;
    expect(silent).toBeGreaterThan(0);
    expect(silent / readings.length).toBeLessThan(0.1);
    const stuck = readings.filter(
      ({ values }, index) => index > 0 && values.temperature === readings[index - 1]!.values.temperature,
    ).length;
    expect(stuck).toBeGreaterThan(0);
  });

  test("never has a value that is no number", () => {
    for (const { values } of readings)
      for (const value of Object.values(values)) expect(value === null || Number.isFinite(value)).toBe(true);
  });
});

test("over a fleet every sensor falls silent and spikes, and those that can get stuck do", () => {
  const fleet = Array.from({ length: 8 }, (_, pump) => run({ pump }));
  const count = (name: string, isFault: (value: unknown, before: unknown) => boolean) =>
    fleet
      .map((readings) => readings.map(({ values }) => values[name]))
      .map((said) => said.filter((value, at) => at > 0 && isFault(value, said[at - 1])).length)
      .reduce((sum, faults) => sum + faults, 0);
  const limits = { temperature: [-10, 90], vibration: [-10, 40], load: [-1, 2] } as const;
  for (const [name, [low, high]] of Object.entries(limits)) {
    expect(count(name, (value) => value === null)).toBeGreaterThan(0);
    const spikes = count(name, (value) => typeof value === "number" && (value < low || value > high));
    expect(spikes).toBeGreaterThan(0);
    // A spike is one reading in some thousand: everything else is plausible.
    expect(spikes).toBeLessThan(0.002 * 8 * 12 * 1440);
    const stuck = count(name, (value, before) => value !== null && value === before);
    if (name === "load") expect(stuck).toBe(0);
    else expect(stuck).toBeGreaterThan(0);
  }
});

describe("a pump", () => {
  const between = (readings: readonly Reading[], from: number, to: number) =>
    readings.filter(({ timeMs }) => timeMs >= from && timeMs < to);
  const hours = (readings: readonly Reading[], from: number, to: number) =>
    readings.filter(({ timeMs }) => (timeMs / 3_600_000) % 24 >= from && (timeMs / 3_600_000) % 24 < to);

  test("works less at night and on Sundays", () => {
    const readings = run();
    const load = (some: readonly Reading[]) => median(field(some, "load"));
    expect(load(hours(readings, 1, 5))).toBeLessThan(0.8 * load(hours(readings, 8, 12)));
    const saturday = Date.UTC(2026, 0, 10);
    const day = 86_400_000;
    const sunday = between(readings, saturday + day, saturday + 2 * day);
    expect(load(sunday)).toBeLessThan(0.9 * load(between(readings, saturday, saturday + day)));
  });

  test("makes another product every three days, each at a load of its own", () => {
    const campaigns = [0, 1, 2, 3].map((campaign) => {
      // Its third day: none of those is a Sunday.
      const from = startMs + (3 * campaign + 2) * 86_400_000;
      return median(field(hours(between(run(), from, from + 86_400_000), 8, 12), "load"));
    });
    const sorted = campaigns.toSorted((a, b) => a - b);
    sorted.slice(1).forEach((load, index) => {
      expect(load - sorted[index]!).toBeGreaterThan(0.1);
    });
  });

  test("gets hotter with load, some time after it", () => {
    const readings = run({ days: 3 });
    const correlation = (lagMin: number) => {
      const pairs = readings.slice(0, readings.length - lagMin).flatMap(({ values }, index) => {
        const later = readings[index + lagMin]!.values.temperature;
        const { load } = values;
        return typeof load === "number" && typeof later === "number" && later < 90 && load < 1.5
          ? [[load, later] as const]
          : [];
      });
      const [loads, heats] = [pairs.map(([load]) => load), pairs.map(([, heat]) => heat)];
      const [meanLoad, meanHeat] = [mean(loads), mean(heats)];
      const spread = (values: readonly number[], centre: number) =>
        Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
      const covariance = mean(pairs.map(([load, heat]) => (load - meanLoad) * (heat - meanHeat)));
      return covariance / (spread(loads, meanLoad) * spread(heats, meanHeat));
    };
    expect(correlation(30)).toBeGreaterThan(0.4);
    expect(correlation(30)).toBeGreaterThan(correlation(0));
  });

  test("wears: the same load shakes it more after a hundred days", () => {
    const readings = run({ days: 110 });
    const shaking = (from: number) =>
      median(
        field(
          between(readings, startMs + from * 86_400_000, startMs + (from + 12) * 86_400_000),
          "vibration",
        ),
      );
    expect(shaking(96)).toBeGreaterThan(1.2 * shaking(0));
  });
});
