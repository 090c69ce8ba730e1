import { describe, expect, test } from "vitest";
import { DriftSource } from "../../../../server/http/drift-view.js";
import { parseTask } from "../../../../shared/task/parse.js";
import type { DeviceReport } from "../../../../shared/wire/report.js";
import { deviceId } from "../../../support/device-kit.js";
import { reportOf, sideOf, sumsOf } from "../../../support/device-report.js";

const NOW_MS = 10_000_000;
const MINUTE_MS = 60_000;
const { task } = parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x, z] } ] }
label: { field: y }
model: { dense: [2], output: regression }
monitor: { report: 1m }
`);

const drifting = (effect: number) =>
  reportOf({ data: { tested: 1, drifting: 1, columns: [{ column: "x", effect, drifts: true }] } });

function sourceOf(
  reports: Readonly<Record<string, { readonly report: DeviceReport; readonly ageMs?: number }>>,
) {
  const received = new Map(
    Object.entries(reports).map(([name, { report, ageMs = 0 }]) => [
      deviceId(name),
      { report, receivedMs: NOW_MS - ageMs },
    ]),
  );
  const counts = {
    reporting: received.size,
    drifting: 1,
    silent: 2,
    newestMs: received.size === 0 ? undefined : 7,
  };
  const server = { reports: () => received, reportCounts: () => counts };
  return new DriftSource({ task, server, clock: { now: () => NOW_MS } });
}

const namesOf = (source: DriftSource, query: { readonly limit: number; readonly after?: string }) =>
  source.view(query).devices.map(({ device }) => device);

describe("drift by device and column", () => {
  test("is 1 and more where a column drifts, less where it only shifts, and nothing where nothing is known", () => {
    const report = {
      ...drifting(0.4),
      serving: sideOf(1, sumsOf(5, 1)),
      concept: { status: "warning", detections: 0 } as const,
    };
    const quiet = reportOf({
      data: { tested: 1, drifting: 0, columns: [{ column: "z", effect: 9, drifts: false }] },
    });
    const row = { reportedMs: NOW_MS, isSilent: false };
    expect(sourceOf({ a: { report: quiet }, b: { report } }).view({ limit: 5 })).toEqual({
      columns: ["x", "z", "(error)"],
      devices: [
        { device: "b", ...row, scores: [2, null, 0.7] },
        { device: "a", ...row, scores: [null, 0.99, null] },
      ],
      ...{ total: 2, silentAfterMs: 3 * MINUTE_MS },
    });
  });

  test("comes with what drifts most first, and with devices that have fallen silent last", () => {
    const source = sourceOf({
      calm: { report: reportOf() },
      silent: { report: drifting(9), ageMs: 3 * MINUTE_MS + 1 },
      ill: { report: drifting(0.3), ageMs: 3 * MINUTE_MS },
      worse: { report: drifting(0.5) },
    });
    expect(namesOf(source, { limit: 9 })).toEqual(["worse", "ill", "calm", "silent"]);
    expect(namesOf(source, { limit: 1 })).toEqual(["worse"]);
    expect(source.view({ limit: 9 }).devices.filter(({ isSilent }) => isSilent)).toMatchObject([
      { device: "silent", reportedMs: NOW_MS - 3 * MINUTE_MS - 1 },
    ]);
  });

  test("comes page by page by id, each device once", () => {
    const reports = Object.fromEntries(
      ["d", "a", "c", "b", "e"].map((name) => [name, { report: reportOf() }]),
    );
    const source = sourceOf(reports);
    const seen: string[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const { devices, next, total } = source.view({ limit: 2, after });
      expect(total).toBe(5);
      seen.push(...devices.map(({ device }) => device));
      after = next;
    }
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  });
});

test("the fleet in numbers counts those whose report is not out of date, and says who is left out", () => {
  expect(sourceOf({ a: { report: reportOf() } }).summary()).toEqual({
    ...{ devices: 1, drifting: 1, silent: 2, updatedMs: 7 },
  });
  expect(sourceOf({}).summary()).toBeUndefined();
});
