// Ten devices and every fault at once, with the checker on. Thousands of seeds: `npm run test:simulation`.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Counters } from "../../shared/counters.js";
import { type ChaosLab, type ChaosReport, createChaosLab } from "../../simulator/chaos/chaos.js";

const SEEDS = 10;
const faults = new Counters();
const reports = new Map<number, ChaosReport>();
let lab: ChaosLab;

beforeAll(async () => {
  lab = await createChaosLab();
});

afterAll(() => lab.close());

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  "under chaos nothing is folded twice or lost, and the last round is reached (seed %d)",
  async (seed) => {
    const report = await lab.run({ seed: String(seed) });
    reports.set(seed, report);
    for (const [kind, count] of Object.entries(report.faults)) faults.add(kind, count);
    expect(report.violations).toEqual([]);
    expect(report.ok).toBe(true);
  },
);

test("every kind of fault has really happened", () => {
  expect(Object.keys(faults.toJSON())).toEqual([
    "corrupted",
    "crash-at-write.device",
    "crash-at-write.server",
    "crash.device",
    "crash.server",
    "delay",
    "disk-full.device",
    "disk-full.server",
    "duplicate",
    "loss",
    "partition",
    "reorder",
    "replayed",
    "traitor.cut-short",
    "traitor.forged",
    "traitor.mislabelled",
    "traitor.nan",
    "traitor.replay",
    "traitor.twins",
    "traitor.vanish",
    "traitor.zero-examples",
    "vandal.foreign-topic",
    "vandal.garbage",
    "vandal.impostor-hello",
    "vandal.oversized",
    "vandal.stranger",
    "vandal.too-large",
  ]);
});

test("the same seed gives the same facts at the same times, another seed gives others", async () => {
  const again = await lab.run({ seed: "1" });
  expect(again).toEqual(reports.get(1));
  expect(again.factsHash).not.toBe(reports.get(2)?.factsHash);
});
