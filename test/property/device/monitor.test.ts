// What a monitor reports is what its predictions and labels come to, whatever comes in between; and a restart changes
// nothing of it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BaseModel } from "../../../device/model/check.js";
import type { Monitor } from "../../../device/monitor/monitor.js";
import { emptyMetricSums, mergeMetricSums } from "../../../shared/model/metric.js";
import { scoreRows } from "../../../shared/model/score.js";
import { decodeState, encodeState } from "../../../shared/pipeline/state.js";
import type { FeatureRow } from "../../../shared/pipeline/types.js";
import { randomStream } from "../../../shared/random.js";
import {
  createMonitor,
  labelled,
  monitorSpec,
  regression,
  rowAt,
  saidBy,
  versionOf,
} from "../../support/monitor-lab.js";
import { telemetryOf } from "../../support/telemetry-streams.js";

type Step =
  | { readonly kind: "rows"; readonly rows: readonly { readonly said: number; readonly other: number }[] }
  | { readonly kind: "label"; readonly which: number; readonly label: number }
  | { readonly kind: "pair"; readonly serving: number; readonly beside: number | undefined }
  | { readonly kind: "restart" };

const number = fc.oneof(
  { weight: 9, arbitrary: fc.float({ min: -5, max: 5, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("rows" as const),
      rows: fc.array(fc.record({ said: number, other: number }), { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      kind: fc.constant("label" as const),
      which: fc.nat(1_000),
      label: fc.float({ min: -50, max: 50, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("pair" as const),
      serving: fc.constantFrom(1, 2),
      beside: fc.constantFrom(undefined, 3),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "restart" as const }) },
);
const steps = fc.array(step, { minLength: 5, maxLength: 120, size: "max" });

const WINDOW = 20;
// Small windows and no warm-up of hundreds of rows: state of every kind comes up.
const spec = monitorSpec({
  window: WINDOW,
  data: { ks: { rows: 50, effect: 0.1 } },
  concept: "page-hinkley",
});

interface Asked {
  readonly row: FeatureRow;
  readonly said: number;
  readonly other: number | undefined;
  readonly epoch: number;
}

/** A monitor that lives through steps, and the book that a careful clerk would have kept of them. */
class Story {
  monitor = createMonitor({ spec });
  readonly asked: Asked[] = [];
  readonly settled: { readonly asked: Asked; readonly label: number; readonly version: number }[] = [];
  #pair: { serving: BaseModel; beside: BaseModel | undefined } = { serving: versionOf(1), beside: undefined };
  #versions = new Map<number, number>();
  #epoch = 0;
  #timeMs = 0;
  answered = 0;

  readonly #restarts: boolean;

  constructor(restarts: boolean) {
    this.#restarts = restarts;
    this.monitor.follow(this.#pair);
  }

  get pair() {
    return this.#pair;
  }

  get epoch(): number {
    return this.#epoch;
  }

  live(each: Step): void {
    switch (each.kind) {
      case "rows":
        this.#rows(each.rows);
        break;
      case "label":
        this.#label(each);
        break;
      case "pair":
        this.#follow(each.serving, each.beside);
        break;
      case "restart":
        if (this.#restarts) this.monitor = restarted(this.monitor, this.#pair);
        break;
    }
  }

  #rows(given: Extract<Step, { kind: "rows" }>["rows"]): void {
    const { serving, beside } = this.#pair;
    const rows = given.map(({ said }) => rowAt(++this.#timeMs, Number.isFinite(said) ? said : 0));
    this.monitor.hear(
      rows,
      saidBy(
        serving,
        given.map(({ said }) => said),
      ),
      beside &&
        saidBy(
          beside,
          given.map(({ other }) => other),
        ),
    );
    this.answered += rows.length;
    rows.forEach((row, at) => {
      const { said, other } = given[at]!;
      const asked = { row, said, other: beside === undefined ? undefined : other, epoch: this.#epoch };
      this.#versions.set(row.timeMs, serving.manifest.version);
      this.asked.push(asked);
    });
  }

  #label({ which, label }: Extract<Step, { kind: "label" }>): void {
    if (this.asked.length === 0) return;
    const [asked] = this.asked.splice(which % this.asked.length, 1);
    this.monitor.label(labelled(asked!.row, label));
    this.settled.push({ asked: asked!, label, version: this.#versions.get(asked!.row.timeMs)! });
  }

  #follow(serving: number, beside: number | undefined): void {
    const before = this.#pair;
    this.#pair = {
      serving: versionOf(serving),
      beside: beside === undefined ? undefined : versionOf(beside),
    };
    this.monitor.follow(this.#pair);
    if (before.serving.manifest.version === serving && before.beside?.manifest.version === beside) return;
    this.#epoch += 1;
    this.answered = 0;
  }
}

function restarted(monitor: Monitor, pair: { serving: BaseModel; beside: BaseModel | undefined }): Monitor {
  const next = createMonitor({ spec });
  next.restore(decodeState(encodeState(monitor.save())));
  expect(next.follow(pair)).toBe(true);
  return next;
}

const sumOf = (output: number, label: number) => {
  const { scaler } = versionOf(1);
  const truth = Float32Array.of((label - scaler.label.offset) * scaler.label.factor);
  return scoreRows(regression, Float32Array.of(output), truth, 1, scaler.label.factor);
};

describe("a report", () => {
  test("sums up the predictions as they were made, and the labels that came", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const story = new Story(true);
        for (const each of script) story.live(each);
        const { serving, beside, paired } = story.monitor.view();
        const isPaired = story.pair.beside !== undefined;
        const own = story.settled.filter(
          ({ asked: { epoch, said, other } }) =>
            epoch === story.epoch && Number.isFinite(said) && (!isPaired || Number.isFinite(other)),
        );
        const total = (output: (asked: Asked) => number) =>
          own.map(({ asked, label }) => sumOf(output(asked), label)).reduce(mergeMetricSums, emptyMetricSums);
        expect(serving?.rows).toBe(story.answered);
        expect(serving?.labelled).toEqual(total(({ said }) => said));
        if (!isPaired) {
          expect(beside).toBeUndefined();
          return;
        }
        expect(beside?.labelled).toEqual(total(({ other }) => other!));
        const differences = own.map(
          ({ asked, label }) => sumOf(asked.other!, label).loss - sumOf(asked.said, label).loss,
        );
        expect(paired).toEqual({
          rows: own.length,
          sum: differences.reduce((sum, each) => sum + each, 0),
          squares: differences.reduce((sum, each) => sum + each ** 2, 0),
        });
      }),
      { numRuns: 300 },
    );
  });

  test("has a window of the newest labelled rows of the version, exact", () => {
    fc.assert(
      fc.property(
        steps.map((script) => script.filter(({ kind }) => kind !== "pair")),
        (script) => {
          const story = new Story(true);
          for (const each of script) story.live(each);
          const newest = story.settled
            .filter(({ asked }) => Number.isFinite(asked.said))
            .slice(-WINDOW)
            .map(({ asked, label }) => sumOf(asked.said, label));
          expect(story.monitor.view().window).toEqual(newest.reduce(mergeMetricSums, emptyMetricSums));
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("a monitor that was saved and restored tells what one that never was tells", () => {
  fc.assert(
    fc.property(steps, fc.nat(1_000), (script, seed) => {
      const [live, restored] = [new Story(false), new Story(true)];
      const drawn = drift(seed);
      for (const each of [...script, ...drawn]) {
        live.live(each);
        restored.live(each);
        expect(restored.monitor.view()).toEqual(live.monitor.view());
      }
      expect(decodeState(encodeState(restored.monitor.save()))).toEqual(
        decodeState(encodeState(live.monitor.save())),
      );
    }),
    { numRuns: 30 },
  );
});

/** Rows and labels enough for a reference, windows and a drift, with restarts in between. */
function drift(seed: number): readonly Step[] {
  const random = randomStream("monitor", String(seed));
  return Array.from({ length: 400 }, (_, i): readonly Step[] => [
    { kind: "rows", rows: [{ said: random.normal() + (i > 250 ? 3 : 0), other: random.normal() }] },
    { kind: "label", which: 0, label: 10 + random.normal() },
    ...(random.uniform() < 0.1 ? [{ kind: "restart" } as const] : []),
  ]).flat();
}

describe("at defaults, telemetry whose rows follow one another closely (AR(1) 0.9)", () => {
  const ROWS = 10_000;
  const SEEDS = 10;

  /** Errors are a column of their own: whatever the model has not seen. */
  function watch(seed: number) {
    const next = telemetryOf("phi 0.9", `monitor ${seed}`, 3);
    const monitor = createMonitor();
    monitor.follow({ serving: versionOf(1), beside: undefined });
    const live = (shift: number) => {
      const { timeMs, features } = next();
      const [a = 0, b = 0, error = 0] = features;
      const row = rowAt(timeMs, a + shift, b);
      monitor.hear([row], saidBy(versionOf(1), [a]), undefined);
      // In the label's own unit, which is two scaled ones.
      monitor.label(labelled(row, 10 + 2 * (a + error + shift)));
    };
    return { monitor, live };
  }

  test("gives at most one false alarm in 10,000 rows of a device, and a shift is told", () => {
    let [alarms, found] = [0, 0];
    for (let seed = 0; seed < SEEDS; seed++) {
      const { monitor, live } = watch(seed);
      let isDrifting = false;
      for (let i = 0; i < ROWS; i++) {
        live(0);
        const now = monitor.drift.kind !== undefined;
        if (now && !isDrifting) alarms += 1;
        isDrifting = now;
      }
      for (let i = 0; i < 2_500; i++) live(1.5);
      if (monitor.drift.kind !== undefined) found += 1;
    }
    expect(alarms / SEEDS).toBeLessThanOrEqual(1);
    expect(found).toBeGreaterThanOrEqual(0.9 * SEEDS);
  }, 60_000);

  test("what has passed drifts no more, and the monitor says so", () => {
    const { monitor, live } = watch(1);
    for (let i = 0; i < 5_000; i++) live(0);
    for (let i = 0; i < 5_000 && monitor.drift.kind !== "concept"; i++) live(1.5);
    expect(monitor.drift.kind).toBe("concept");
    for (let i = 0; i < 50_000 && monitor.drift.kind !== undefined; i++) live(0);
    expect(monitor.drift).toEqual({ kind: undefined, sinceMs: undefined });
    expect(monitor.view().concept.status).toBe("ok");
  }, 60_000);
});
