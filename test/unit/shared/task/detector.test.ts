import { expect, test } from "vitest";
import { detectors } from "../../../../shared/drift/concept/registry.js";
import { detector } from "../../../../shared/task/schema/detector.js";

test("a detector's name stands for its defaults, and none for adwin", () => {
  expect(detector.parse(undefined)).toEqual(detector.parse({ adwin: {} }));
  for (const [kind, { params }] of Object.entries(detectors))
    expect(detector.parse(kind)).toEqual({ kind, params: params.parse({}) });
});

test("parameters stand under the detector's name", () => {
  const parsed = detector.parse({ "page-hinkley": { threshold: 20 } });
  expect(parsed).toMatchObject({ kind: "page-hinkley", params: { threshold: 20, delta: 0.1 } });
});

test("refuses a detector that is none, two at once, and parameters that are none", () => {
  for (const bad of ["adwim", { adwin: {}, ddm: {} }, { adwin: { detla: 0.1 } }, "constructor"])
    expect(detector.safeParse(bad).success).toBe(false);
});
