// Distances and chances of two samples, against SciPy's figures for a stream that any language makes alike.

import { describe, expect, test } from "vitest";
import { distanceOf } from "../../../../../shared/drift/data/compare.js";
import { ksAsymptoticP, ksDistance, ksExactP } from "../../../../../shared/drift/two-sample/ks.js";
import { meanDiscrepancy } from "../../../../../shared/drift/two-sample/mmd.js";
import { jensenShannon, populationStability } from "../../../../../shared/drift/two-sample/shares.js";
import { congruential } from "../concept/congruential.js";

const { shifted } = congruential();
const samples = {
  reference: shifted.slice(0, 500),
  same: shifted.slice(500, 1_000),
  shifted: shifted.slice(1_200, 1_600),
};

/** Figures computed with SciPy 1.17 and by the definitions of Evidently's bins (Sturges' rule over both samples). */
const figures = {
  same: {
    ksD: 0.07400000000000001,
    ksAsymptotic: 0.12302433740055929,
    ksExact: 0.12939616996710074,
    psi: 0.035645338338749916,
    psiSturges: 0.033072683376267745,
    jensenShannon: 0.06422236262375479,
    wasserstein: 0.028688680132851013,
    wassersteinStd: 0.10058096696116019,
    mmd: 0.0006859721343950298,
  },
  shifted: {
    ksD: 0.3205,
    ksAsymptotic: 8.715466414181838e-21,
    ksExact: 1.1183932692580767e-20,
    psi: 1.8808342121495603,
    psiSturges: 3.12855696127108,
    jensenShannon: 0.404168557866127,
    wasserstein: 0.2773534321375191,
    wassersteinStd: 0.9723861908322622,
    mmd: 0.09315142373040386,
  },
} as const;

const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
const weighted = (values: readonly number[]) => ({
  values: sorted(values),
  weights: new Float64Array(values.length).fill(1 / values.length),
});

function shares(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const x of values) counts[edges.filter((edge) => x >= edge).length]! += 1 / values.length;
  return counts;
}

function quantile(values: readonly number[], p: number): number {
  const all = sorted(values);
  const rank = p * (all.length - 1);
  const below = Math.floor(rank);
  return all[below]! + (rank - below) * (all[below + 1]! - all[below]!);
}

function sturges(a: readonly number[], b: readonly number[]): number[] {
  const both = [...a, ...b];
  const low = Math.min(...both);
  const bins = Math.ceil(Math.log2(both.length) + 1);
  const width = (Math.max(...both) - low) / bins;
  return Array.from({ length: bins - 1 }, (_, i) => low + (i + 1) * width);
}

describe.each(["same", "shifted"] as const)("a reference and a %s sample", (name) => {
  const a = samples.reference;
  const b = samples[name];
  const expected = figures[name];

  test("Kolmogorov and Smirnov", () => {
    const distance = ksDistance(sorted(a), sorted(b));
    expect(distance).toBeCloseTo(expected.ksD, 12);
    // Twice one side counts those samples twice that go far on both: at a chance of 0.12, two in 10,000.
    expect(ksAsymptoticP(distance, a.length, b.length) / expected.ksAsymptotic).toBeCloseTo(1, 3);
    expect(ksExactP(distance, a.length, b.length) / expected.ksExact).toBeCloseTo(1, 8);
  });

  test("stability index over the reference's deciles and over Sturges' bins", () => {
    const deciles = Array.from({ length: 9 }, (_, i) => quantile(a, (i + 1) / 10));
    expect(populationStability(shares(a, deciles), shares(b, deciles))).toBeCloseTo(expected.psi, 9);
    const edges = sturges(a, b);
    expect(populationStability(shares(a, edges), shares(b, edges))).toBeCloseTo(expected.psiSturges, 9);
    expect(jensenShannon(shares(a, edges), shares(b, edges))).toBeCloseTo(expected.jensenShannon, 9);
  });

  test("Wasserstein and Kolmogorov-Smirnov in one walk", () => {
    const { area, greatest } = distanceOf(weighted(a), weighted(b));
    expect(area).toBeCloseTo(expected.wasserstein, 12);
    expect(greatest).toBeCloseTo(expected.ksD, 12);
    const mean = a.reduce((sum, x) => sum + x, 0) / a.length;
    const std = Math.sqrt(a.reduce((sum, x) => sum + (x - mean) ** 2, 0) / a.length);
    expect(area / std).toBeCloseTo(expected.wassersteinStd, 9);
  });

  test("maximum mean discrepancy", () => {
    const rows = (values: readonly number[]) => values.map((x) => [x]);
    expect(meanDiscrepancy(rows(a), rows(b), 1)).toBeCloseTo(expected.mmd, 12);
  });
});
