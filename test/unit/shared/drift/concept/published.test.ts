// River's published figures, and figures of streams without chance: the same changes at the same updates.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Kswin, kswin } from "../../../../../shared/drift/concept/kswin.js";
import type { ConceptDetector } from "../../../../../shared/drift/concept/port.js";
import { detectors } from "../../../../../shared/drift/concept/registry.js";
import { congruential } from "./congruential.js";
import { pythonSample } from "./python-random.js";

interface Published {
  readonly streams: Readonly<Record<string, string>>;
}

const { streams } = JSON.parse(
  readFileSync(new URL("river-streams.json", import.meta.url), "utf8"),
) as Published; // our own file

const { shifted, errors } = congruential();
const all: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(Object.entries(streams).map(([name, digits]) => [name, [...digits].map(Number)])),
  shifted,
  errors,
  ones: Array.from({ length: 1_000 }, () => 1),
};

/** Updates that told a drift. */
function driftsOf(kind: string, params: unknown, stream: string): number[] {
  return storyOf(kind, params, stream).flatMap(([verdict, i]) => (verdict === "drift" ? [i] : []));
}

/** Drifts, and the first warning since the last one. */
function storyOf(kind: string, params: unknown, stream: string): (readonly ["warning" | "drift", number])[] {
  const { params: schema, create } = detectors[kind]!;
  return storyBy(create(schema.parse(params)), stream);
}

function storyBy(detector: ConceptDetector, stream: string): (readonly ["warning" | "drift", number])[] {
  const story: (readonly ["warning" | "drift", number])[] = [];
  let isWarned = false;
  all[stream]!.forEach((x, i) => {
    const verdict = detector.update(x);
    expect(verdict).not.toBe("refused");
    if (verdict === "warning" && !isWarned) story.push([verdict, i]);
    if (verdict === "drift") story.push([verdict, i]);
    if (verdict !== "ok") isWarned = verdict === "warning";
  });
  return story;
}

const PAGE_HINKLEY = { delta: 0.005, threshold: 50 };
const EVERY_UPDATE = { alpha: 1e-4, every: 1 };

test.each([
  ["adwin", { side: "both" }, "s1", [1023]],
  ["adwin", { side: "both" }, "d1", [1023]],
  ["adwin", { side: "both" }, "m4", [1023, 2015, 3007]],
  ["page-hinkley", { ...PAGE_HINKLEY, side: "up" }, "s3", [588, 1681]],
  ["page-hinkley", { ...PAGE_HINKLEY, side: "down" }, "s3", [1172]],
  ["page-hinkley", { ...PAGE_HINKLEY, side: "both" }, "s3", [588, 1097, 1585]],
  ["page-hinkley", { ...PAGE_HINKLEY, side: "both" }, "d1", [1006]],
  // All of the older half is compared, so the order in which a sample was drawn does not matter.
  ["kswin", { ...EVERY_UPDATE, window: 200, recent: 100 }, "s1", [1042]],
  ["ddm", {}, "s2", [1049]],
  ["ddm", {}, "ones", []],
  ["eddm", { warning: 0.9, drift: 0.8 }, "s2", [1059]],
  ["hddm-a", {}, "s2", [1047]],
  ["hddm-a", { side: "both" }, "s3", [531, 1015, 1545]],
  ["hddm-w", {}, "s2", [1018]],
  ["hddm-w", { side: "both" }, "s3", [507, 1032, 1508]],
] as const)("%s %j on %s tells what River tells", (kind, params, stream, drifts) => {
  expect(driftsOf(kind, params, stream)).toEqual(drifts);
});

const SAMPLED = { ...EVERY_UPDATE, window: 100, recent: 30, sample: 30 };

test("kswin on d1 tells what River tells when it draws what River draws", () => {
  const detector = new Kswin(kswin.params.parse(SAMPLED), pythonSample(42));
  expect(storyBy(detector, "d1")).toEqual([["drift", 1016]]);
});

test("kswin on d1 tells an update sooner by evenly spaced numbers", () => {
  expect(driftsOf("kswin", SAMPLED, "d1")).toEqual([1015]);
});

test.each([
  [
    "ddm",
    {},
    [
      ["warning", 1084],
      ["drift", 1334],
      ["warning", 1492],
    ],
  ],
  [
    "eddm",
    { warning: 0.8, drift: 0.75 },
    [
      ["warning", 1059],
      ["drift", 1278],
    ],
  ],
  [
    "hddm-a",
    {},
    [
      ["warning", 451],
      ["drift", 1206],
    ],
  ],
  [
    "hddm-w",
    {},
    [
      ["warning", 451],
      ["drift", 1077],
    ],
  ],
] as const)("%s %j warns on b1 where River warns", (kind, params, story) => {
  expect(storyOf(kind, params, "b1")).toEqual(story);
});

test.each([
  ["adwin", { side: "both" }, "shifted", [1087, 2047]],
  ["adwin", { side: "both", clock: 1 }, "shifted", [1060, 2019]],
  ["adwin", { side: "both" }, "errors", [1631]],
  [
    "page-hinkley",
    { delta: 0.005, threshold: 10, side: "both" },
    "shifted",
    [489, 778, 938, 1028, 2001, 2240, 2614],
  ],
  ["page-hinkley", { ...PAGE_HINKLEY, side: "both" }, "shifted", [1172, 2087]],
  ["ddm", {}, "errors", [1902]],
  ["eddm", { warning: 0.9, drift: 0.8 }, "errors", [593, 822, 1191, 1557, 1661]],
  ["hddm-a", {}, "errors", [792, 1610]],
  ["hddm-w", {}, "errors", [1684]],
] as const)("%s %j on the congruential stream %s", (kind, params, stream, drifts) => {
  expect(driftsOf(kind, params, stream)).toEqual(drifts);
});
