import { describe, expect, test } from "vitest";
import { HeadwaterError } from "../../../../shared/error.js";
import type { Reading } from "../../../../shared/pipeline/types.js";
import type { JsonObject } from "../../../../shared/task/task.js";
import { generateFleet } from "../../../../simulator/sensors/registry.js";

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

function readingsOf(pump: number, drift: JsonObject | undefined, devices = 4): readonly Reading[] {
  const params = { days: 4, ...(drift && { drift }) };
  return [...generateFleet("pumps", params, { seed: "1", devices }).device(pump).readings];
}

function from(readings: readonly Reading[], hour: number): readonly Reading[] {
  return readings.filter(({ timeMs }) => timeMs >= startMs + hour * HOUR_MS);
}

function shareOf(readings: readonly Reading[], isSo: (values: Reading["values"]) => boolean): number {
  return readings.filter(({ values }) => isSo(values)).length / readings.length;
}

/** How far the inlet is from what the first impellers need. */
function marginOf({ suction, load }: Reading["values"]): number {
  return Number(suction) - 0.25 - 0.6 * Number(load);
}

const isAsOnceLearnt = (values: Reading["values"]) => marginOf(values) < 0 === (values.cavitation === 1);

describe("a fleet that drifts at a known time", () => {
  const calm = readingsOf(0, undefined);

  test.each(["concept", "data", "both"])("is the same as one that does not until then: %s", (kind) => {
    const readings = readingsOf(0, { at: "2d", kind });
    const before = ({ timeMs }: Reading) => timeMs < startMs + 48 * HOUR_MS;
    expect(readings.filter(before)).toEqual(calm.filter(before));
    expect(from(readings, 48)).not.toEqual(from(calm, 48));
  });

  test("concept: sensors say what they would have said, and it means something else", () => {
    const readings = readingsOf(0, { at: "2d", kind: "concept" });
    const sensors = ({ values: { cavitation: _, ...rest } }: Reading) => rest;
    expect(readings.map(sensors)).toEqual(calm.map(sensors));
    expect(shareOf(calm, isAsOnceLearnt)).toBeGreaterThan(0.9);
    expect(shareOf(from(readings, 48), isAsOnceLearnt)).toBeLessThan(0.75);
  });

  test("data: the gauge says more than there is, and the pumps are what they were", () => {
    const readings = readingsOf(0, { at: "2d", kind: "data" });
    const heard = ({ values }: Reading) => values.cavitation;
    expect(readings.map(heard)).toEqual(calm.map(heard));
    from(readings, 48).forEach(({ values }, index) => {
      const usual = from(calm, 48)[index]!.values;
      expect(Number(values.suction) - Number(usual.suction)).toBeCloseTo(0.3, 9);
    });
  });

  test.each([
    [1, [true, false, false, false]],
    ["50%", [true, true, false, false]],
    ["100%", [true, true, true, true]],
    ["0%", [false, false, false, false]],
  ])("befalls as many as asked for: %s", (pumps, expected) => {
    const fleet = generateFleet("pumps", { drift: { at: "2d", pumps } }, { seed: "1", devices: 4 });
    expect([0, 1, 2, 3].map((pump) => fleet.drift?.befalls(pump, 4))).toEqual(expected);
    expect(fleet.drift?.atMs).toBe(startMs + 48 * HOUR_MS);
    const changed = [0, 3].map((pump) => {
      const late = (readings: readonly Reading[]) => JSON.stringify(from(readings, 48));
      return late(readingsOf(pump, { at: "2d", pumps })) !== late(readingsOf(pump, undefined));
    });
    expect(changed).toEqual([expected[0], expected[3]]);
  });

  test.each([
    [{ at: "soon" }, "simulate.with.drift.at"],
    [{ at: "2d", kind: "sudden" }, "simulate.with.drift.kind"],
    [{ at: "2d", pumps: "many" }, "simulate.with.drift.pumps: expected a number of pumps, or a percentage"],
  ])("refuses %j and says where", (drift, message) => {
    const generate = () => generateFleet("pumps", { drift }, { seed: "1", devices: 4 });
    expect(generate).toThrow(HeadwaterError);
    expect(generate).toThrow(message);
  });
});
