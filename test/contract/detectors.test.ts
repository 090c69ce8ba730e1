// What every concept detector must do, tried with the examples it shows in the docs and with its defaults.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DetectorKind } from "../../shared/drift/concept/port.js";
import { createDetector, detectors } from "../../shared/drift/concept/registry.js";
import { decodeState, encodeState } from "../../shared/pipeline/state.js";
import { randomStream } from "../../shared/random.js";

const cases = Object.values(detectors).flatMap((kind) =>
  [{ params: {} }, kind.example, ...(kind.moreExamples ?? [])].map(({ params }) => ({
    name: `${kind.name} ${JSON.stringify(params)}`,
    kind,
    params: kind.params.parse(params),
  })),
);

/** A stream that changes now and then, of what the detector takes. */
function streamOf({ input }: DetectorKind, seed: number, length: number): number[] {
  const random = randomStream(String(seed), "detector stream");
  let level = random.uniform();
  return Array.from({ length }, () => {
    if (random.integer(400) === 0) level = random.uniform();
    if (input === "bits") return random.uniform() < level ? 1 : 0;
    return input === "shares" ? 0.5 * (level + random.uniform()) : 10 * level + random.normal();
  });
}

describe.each(cases)("$name", ({ kind, params }) => {
  const create = () => createDetector({ kind: kind.name, params });

  test("goes on where it was after a kill", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 1_500 }), (seed, killAt) => {
        const steady = create();
        let killed = create();
        streamOf(kind, seed, 1_500).forEach((x, i) => {
          if (i === killAt) {
            const saved = decodeState(encodeState(killed.save()));
            killed = create();
            killed.restore(saved);
          }
          expect(killed.update(x)).toBe(steady.update(x));
          expect(killed.updatesSinceChange).toBe(steady.updatesSinceChange);
        });
      }),
      { numRuns: 10 },
    );
  });

  test("refuses what is no number, and is none the wiser", () => {
    const tried = create();
    const spared = create();
    for (const x of streamOf(kind, 1, 500)) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        expect(tried.update(bad)).toBe("refused");
      expect(tried.update(x)).toBe(spared.update(x));
    }
    expect(encodeState(tried.save())).toEqual(encodeState(spared.save()));
  });

  test("refuses what is outside of its input", () => {
    const outside = { bits: 0.5, shares: 1.01, numbers: Number.NaN, scores: Number.NaN }[kind.input];
    expect(create().update(outside)).toBe("refused");
  });

  test.each(kind.input === "bits" ? [0, 1] : [0, 0.1, 0.3, 1])("a constant %d is no drift", (x) => {
    const detector = create();
    for (let i = 0; i < 5_000; i++) expect(detector.update(x)).not.toBe("drift");
  });

  test("keeps no more than it says, however long it watches", () => {
    const detector = create();
    let mostBytes = 0;
    streamOf(kind, 2, 20_000).forEach((x, i) => {
      detector.update(x);
      if (i % 500 === 0) mostBytes = Math.max(mostBytes, encodeState(detector.save()).length);
    });
    // msgpack's own tags, and the flag of the last drift.
    expect(mostBytes).toBeLessThanOrEqual(1.2 * kind.stateBytes(params) + 200);
  });

  test("tells a change from its best to its worst, and when: of what came after it, half is left out at most", () => {
    const detector = create();
    const isDown = JSON.stringify(params).includes('"side":"down"');
    const random = randomStream("7", "detector change");
    const drawn = (isWorse: boolean) => {
      const rate = isWorse === isDown ? 0.05 : 0.95;
      if (kind.name === "page-hinkley") return 4 * rate + random.normal();
      return random.uniform() < rate ? 1 : 0;
    };
    for (let i = 0; i < 1_000; i++) detector.update(drawn(false));
    let age = 0;
    for (let i = 1; i <= 1_000 && age === 0; i++) if (detector.update(drawn(true)) === "drift") age = i;
    expect(age).toBeGreaterThan(0);
    expect(detector.updatesSinceChange).toBeGreaterThanOrEqual(age / 2);
    expect(detector.updatesSinceChange).toBeLessThanOrEqual(1_000 + age);
  });

  test("forgets all when it is reset", () => {
    const used = create();
    for (const x of streamOf(kind, 3, 700)) used.update(x);
    used.reset();
    expect(encodeState(used.save())).toEqual(encodeState(create().save()));
  });
});
