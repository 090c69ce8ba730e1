// Three candidates over a fleet in virtual time, one of which is clearly best: from the first version to the served one.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { parseTask } from "../../shared/task/parse.js";
import type { SimulationReport } from "../../simulator/report.js";
import { simulate } from "../../simulator/simulate.js";

const MODEL = /^model: .*\ntrain: .*\n/m;

/** The pumps, with a day of history and a day that streams in. */
function taskOf(more: string) {
  const yaml = readFileSync(new URL("../../examples/pumps/task.yaml", import.meta.url), "utf8")
    .replace("from: 2026-01-09", "from: 2026-01-03")
    .replace("days: 12, history: 4, hoursPerSecond: 6", "days: 3, history: 1, hoursPerSecond: 1");
  expect(yaml).toMatch(MODEL);
  return parseTask(yaml.replace(MODEL, more));
}

const candidates = `train: { epochs: 1, batch: 32 }
candidates:
  blunt: { model: { dense: [2] }, train: { optimizer: { sgd: 0.00001 } } }
  sharp: { model: { dense: [] }, train: { optimizer: { adam: 0.02 } } }
  stiff: { model: { dense: [16] }, train: { optimizer: { sgd: 0.00001 } } }
`;

function run(more: string): Promise<SimulationReport> {
  return simulate({
    ...{ task: taskOf(more), folder: undefined, devices: 4, rounds: 2, seed: "1" },
    ...{ engine: "auto", workers: 1, local: true },
  });
}

const withoutSeconds = ({ seconds: _, ...report }: SimulationReport) => report;

describe("three candidates, one of them clearly best", () => {
  let report: SimulationReport;

  beforeAll(async () => {
    report = await run(`${candidates}select: { rungs: [1, 3], eta: 3 }\n`);
  });

  test("the best one is left, served, and reported with what it costs", () => {
    const { selection } = report;
    expect(selection).toMatchObject({ metric: "rmse", winner: "sharp" });
    const [blunt, sharp, stiff] = selection?.candidates ?? [];
    expect(sharp).toMatchObject({ name: "sharp", isWinner: true, out: null });
    for (const other of [blunt, stiff]) expect(other?.out).toMatch(/^rmse .* against /);
    expect(sharp?.parameters).toBeLessThan(stiff?.parameters ?? 0);
    expect(sharp?.value).toBeLessThan(stiff?.value ?? 0);
    expect(sharp?.worst).toBeGreaterThan(sharp?.value ?? 0);
    expect(sharp?.latencyUs).toBeGreaterThan(0);
    expect(sharp?.bytesUp).toBeGreaterThan(0);
  });

  test("the task's own rounds begin with the winner", () => {
    const arms = report.rounds.map(({ arm }) => arm);
    expect(arms.slice(0, 3)).toEqual(["blunt", "sharp", "stiff"]);
    expect(arms.slice(-2)).toEqual(["sharp", "sharp"]);
    expect(report).toMatchObject({ stopped: "max-rounds", federated: expect.any(Number) });
    expect(report.federated).toBe(report.rounds.at(-1)?.value);
    expect(report.predictions).toBeGreaterThan(0);
    expect(report.localOnly).toEqual(expect.any(Number));
  });

  test("the same seed gives the same report", async () => {
    const again = await run(`${candidates}select: { rungs: [1, 3], eta: 3 }\n`);
    expect(withoutSeconds(again)).toEqual(withoutSeconds(report));
  });
});

test("a candidate beyond the limits is not tried; one alone needs no comparison", async () => {
  const { selection, rounds } = await run(`${candidates}select: { limits: { parameters: 20 } }\n`);
  expect(selection?.candidates.map(({ name, out }) => [name, out])).toEqual([
    ["blunt", "beyond the limits"],
    ["sharp", null],
    ["stiff", "beyond the limits"],
  ]);
  expect(rounds.map(({ arm }) => arm)).toEqual(["sharp", "sharp"]);
});
