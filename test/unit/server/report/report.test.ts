import { afterEach, expect, test } from "vitest";
import { openServerFolder } from "../../../../server/host/server-folder.js";
import { ReportStore } from "../../../../server/monitor/report-store.js";
import { collectReport } from "../../../../server/report/collect.js";
import { renderRunReport } from "../../../../server/report/page.js";
import { renderPlot } from "../../../../server/report/plot.js";
import { type RunReport, runReportSchema } from "../../../../server/report/schema.js";
import { RoundHistory } from "../../../../server/round/history.js";
import { policyOf } from "../../../../server/round/policy.js";
import { initialState, stringifyState } from "../../../../server/round/state.js";
import { systemClock } from "../../../../shared/clock.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { deviceId, taskId } from "../../../support/device-kit.js";
import { reportOf, sumsOf } from "../../../support/device-report.js";
import { smallTask } from "../../../support/small-task.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const closers: (() => void)[] = [];
const NOW_MS = Date.UTC(2026, 2, 1);

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A folder as a server leaves it, still open as by its server. */
function serverFolder(name: string) {
  const path = `${temp.path}/${name}`;
  const folder = openServerFolder(path, { task: taskId("small"), clock: systemClock });
  closers.push(() => folder.close());
  return { path, ...folder };
}

function ranServer(name: string): string {
  const { path, database, enrolled } = serverFolder(name);
  enrolled.enrol(deviceId("pump-1"));
  const policy = JSON.stringify(policyOf(parseTask(smallTask).task, { seed: "1", maxDevices: 10 }));
  const state = stringifyState({ ...initialState, head: 2, stable: 1 });
  database.run("INSERT INTO snapshot (id, state, policy, alive_ms) VALUES (1, ?, ?, 0)", state, policy);
  const history = new RoundHistory(database);
  const ending = {
    closedMs: 9,
    outcome: "completed",
    version: 2,
    members: 5,
    accepted: 4,
    rejected: 1,
  } as const;
  history.begin({ round: 1, kind: "train", baseVersion: 1, openedMs: 5 });
  history.end(1, ending);
  history.begin({ round: 2, kind: "evaluate", baseVersion: 2, openedMs: 10 });
  history.score(2, sumsOf(10, 3));
  for (const [id, reason] of [
    ["a", "norm"],
    ["b", "norm"],
    ["c", "<late>"],
  ]) {
    database.run(
      "INSERT INTO receipts (device, update_id, round, status, reason, signature) VALUES (?, ?, 1, 'rejected', ?, x'00')",
      ...["pump-1", id!, reason!],
    );
  }
  return path;
}

test("a report says what the folder holds, while its server has it, and keeps to its schema", () => {
  const report = collectReport(ranServer("ran"), NOW_MS);
  expect(runReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  expect(report).toMatchObject({ task: "small", metric: "rmse", head: 2, stable: 1, madeMs: NOW_MS });
  expect(report.devices).toEqual({ enrolled: 1, reported: 0, drifting: 0, quarantined: 0 });
  expect(report.rejections).toEqual({ norm: 2, "<late>": 1 });
  expect(report.rounds).toEqual([
    {
      ...{ round: 1, kind: "train", outcome: "completed", openedMs: 5, closedMs: 9, version: 2 },
      ...{ members: 5, accepted: 4, rejected: 1, value: null, scored: null, candidates: [] },
    },
    {
      ...{ round: 2, kind: "evaluate", outcome: "open", openedMs: 10, closedMs: null, version: null },
      ...{ members: 0, accepted: 0, rejected: 0, value: 3, scored: 2, candidates: [] },
    },
  ]);
});

test("devices that had fallen silent when the server was last alive are not told to drift", () => {
  const { path, database } = serverFolder("silent");
  const { task } = parseTask(`${smallTask}monitor: { report: 5m }\n`);
  const policy = JSON.stringify(policyOf(task, { seed: "1", maxDevices: 10 }));
  const aliveMs = NOW_MS - 86_400_000;
  database.run(
    "INSERT INTO snapshot (id, state, policy, alive_ms) VALUES (1, ?, ?, ?)",
    ...[stringifyState(initialState), policy, aliveMs],
  );
  const report = reportOf({ drift: { isDrifting: true, sinceMs: null } });
  const ages = { "pump-1": 900_000, "pump-2": 900_001, "pump-3": 0 };
  const received = Object.entries(ages).map(
    ([name, ageMs]) => [deviceId(name), { report, receivedMs: aliveMs - ageMs }] as const,
  );
  new ReportStore(database).write(new Map(received));
  expect(collectReport(path, NOW_MS).devices).toMatchObject({ reported: 3, drifting: 2 });
});

test("the page fetches nothing, runs nothing, and no word of the data becomes markup", () => {
  const page = renderRunReport(collectReport(ranServer("page"), NOW_MS));
  expect(page).not.toMatch(/<script|\bsrc=|\bhref=|url\(|@import/);
  expect(page).toContain("&#60;late&#62;");
  expect(page).toContain('<svg viewBox="0 0 900 240" role="img"');
  expect(page.match(/<rect /g)).toHaveLength(2);
});

test("candidates are told with each comparison, its interval, and the fate of each", () => {
  const comparison = { rung: 1, rounds: 5, version: 9, devices: 3, rows: 30, value: 2 };
  const of = { parameters: 10, bytes: 40, version: 9, rounds: 5, value: 2 };
  const report: RunReport = {
    ...{ v: 1, task: "small", madeMs: NOW_MS, metric: "rmse", head: 1, stable: 0, versions: [] },
    devices: { enrolled: 3, reported: 0, drifting: 0, quarantined: 0 },
    rounds: [
      {
        ...{ round: 1, kind: "evaluate", outcome: "completed", openedMs: 1, closedMs: 2, version: null },
        ...{ members: 3, accepted: 3, rejected: 0, value: 2, scored: 9, candidates: ["small", "wide"] },
      },
    ],
    rejections: {},
    selection: {
      ...{ metric: "rmse", rungs: [5], rung: 1, winner: "small" },
      candidates: [
        { name: "small", ...of, comparisons: [comparison] },
        {
          ...{ name: "wide", ...of, out: "rmse 3 against 2" },
          comparisons: [{ ...comparison, behind: { mean: 1, low: 0.5, high: 1.75 } }],
        },
      ],
      excluded: [{ name: "huge", reason: "900 parameters above limit 20" }],
    },
  };
  expect(runReportSchema.parse(report)).toEqual(report);
  const page = renderRunReport(report);
  for (const words of [
    "small was selected",
    "rmse 3 against 2",
    "0.5 to 1.75",
    "not tried: 900 parameters",
  ]) {
    expect(page).toContain(words);
  }
  // What candidates scored side by side is no point of the curve.
  expect(page).not.toContain("<circle");
});

test("a run that has only begun has a page without plots", () => {
  const empty: RunReport = {
    ...{ v: 1, task: "small", madeMs: NOW_MS, metric: "rmse", head: 0, stable: 0 },
    ...{ devices: { enrolled: 0, reported: 0, drifting: 0, quarantined: 0 }, rounds: [], versions: [] },
    ...{ rejections: {}, selection: null },
  };
  expect(renderRunReport(empty)).not.toContain("<svg");
});

test("every point of a plot lies within it, a single one and equal ones too", () => {
  for (const ys of [[5], [2, 2, 2], [-3, 0, 1e9], [0, 0]]) {
    const points = ys.map((y, at) => ({ x: at + 1, y }));
    for (const as of ["line", "bars"] as const) {
      if (as === "bars" && ys.some((y) => y < 0)) continue;
      const { text } = renderPlot({ label: "x", series: [{ name: "a", tone: "one", points }], as });
      const heights = [...text.matchAll(/\b(?:cy|y|y1)="([^"]+)"/g)].map(([, value]) => Number(value));
      expect(
        heights.every((height) => height >= 0 && height <= 240),
        `${as} ${ys.join()}: ${heights.join()}`,
      ).toBe(true);
    }
  }
});

test("a folder that is none, or whose server has never started, is refused by name", () => {
  expect(() => collectReport(`${temp.path}/nowhere`, 0)).toThrow(
    /nowhere is no server's data folder: it has no server.db/,
  );
  expect(() => collectReport(serverFolder("fresh").path, 0)).toThrow(/its server has never started/);
});
