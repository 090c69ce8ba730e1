// Laws of labels that come from a source of their own: only what was said counts, not when it was heard.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { predictionId } from "../../../shared/pipeline/labels/prediction-id.js";
import { decodeState, encodeState } from "../../../shared/pipeline/state.js";
import type { Example, Reading } from "../../../shared/pipeline/types.js";
import { hashPipeline } from "../../../shared/task/hash.js";
import type { Task } from "../../../shared/task/task.js";
import { type Collected, collect, taskOf } from "../../support/pipeline.js";

const SECOND_MS = 1_000;
const WAIT_MS = 30 * SECOND_MS;
const HORIZON_MS = 20 * SECOND_MS;

const taskWith = (label: unknown, output: unknown = { classification: 4 }, late: object = {}) =>
  taskOf({
    sources: { vib: { late: { disorder: "0s", ...late } }, words: {} },
    features: { from: "vib", list: [{ copy: "x" }, { lag: { of: "x", rows: 1 } }] },
    label,
    model: { dense: [4], output },
  });

const feedback = (match: unknown) =>
  taskWith({ feedback: { from: "words", of: "kind", match, wait: "30s" } });

const tasks = {
  event: taskWith(
    {
      event: {
        ...{ from: "words", of: "kind", positive: [1], censor: [2], horizon: "20s" },
        ...{ exclude: { after: "6s" }, wait: "30s", silence: "15s" },
      },
    },
    "binary",
  ),
  id: feedback("id"),
  time: feedback("time"),
  interval: feedback({ interval: { start: "from", end: "to", span: "5s" } }),
} as const;

type Kind = keyof typeof tasks;
const kinds = Object.keys(tasks) as readonly Kind[]; // the keys of the object above

interface Word {
  readonly second: number;
  readonly entity: "a" | "b";
  readonly kind: number;
  readonly seconds: number;
  readonly delaysMs: readonly [number, number];
}

interface Story {
  readonly rows: readonly { readonly second: number; readonly entity: "a" | "b" }[];
  readonly words: readonly Word[];
}

const entity = fc.constantFrom("a" as const, "b" as const);
const second = fc.integer({ min: 0, max: 150 });
const delayMs = fc.integer({ min: 0, max: WAIT_MS });
const key = (at: { readonly second: number; readonly entity: string }) => `${at.second} ${at.entity}`;

const story: fc.Arbitrary<Story> = fc.record({
  rows: fc
    .uniqueArray(fc.record({ second, entity }), { minLength: 20, maxLength: 200, selector: key })
    .map((rows) => rows.toSorted((a, b) => a.second - b.second)),
  words: fc.uniqueArray(
    fc.record({
      ...{ second, entity },
      kind: fc.integer({ min: 0, max: 3 }),
      seconds: fc.integer({ min: 1, max: 12 }),
      delaysMs: fc.tuple(delayMs, delayMs),
    }),
    { maxLength: 40, selector: key },
  ),
});

function rowsOf({ rows }: Story): readonly Reading[] {
  return rows.map(({ second, entity }) => ({
    ...{ source: "vib", entity, timeMs: second * SECOND_MS, values: { x: second } },
  }));
}

/** The `number`-th word, as each kind of label takes it. */
function wordOf(kind: Kind, word: Word, number: number): Reading {
  const timeMs = word.second * SECOND_MS;
  const values = { kind: word.kind, from: word.second, to: word.second + word.seconds };
  const reading = { source: "words", entity: word.entity, timeMs, values };
  switch (kind) {
    case "event":
    case "time":
      return reading;
    case "id": // said at different times, so that it is clear which is the last
      return { ...reading, id: predictionId(hashPipeline(tasks.id), word.entity, timeMs), timeMs: number };
    case "interval":
      return { ...reading, timeMs: number };
  }
}

/** Rows as they happen, words so much later; of one moment the rows come first. */
function arrivals(kind: Kind, told: Story, which: 0 | 1, lateMs: readonly number[] = []): readonly Reading[] {
  const rows = rowsOf(told).map((reading, i) => ({
    reading,
    atMs: reading.timeMs + (lateMs[i] ?? 0),
    order: 0,
  }));
  const words = told.words.map((word, number) => ({
    reading: wordOf(kind, word, number),
    atMs: word.second * SECOND_MS + word.delaysMs[which],
    order: 1,
  }));
  return [...rows, ...words]
    .toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)
    .map(({ reading }) => reading);
}

function run(task: Task, readings: readonly Reading[], cutAt = -1): Collected {
  let collected = collect(task);
  readings.forEach((reading, i) => {
    if (i === cutAt) collected = revived(task, collected);
    collected.pipeline.push(reading);
  });
  collected.pipeline.flush();
  return collected;
}

function revived(task: Task, before: Collected): Collected {
  const after = collect(task);
  after.pipeline.restore(decodeState(encodeState(before.pipeline.save())));
  after.examples.push(...before.examples);
  return after;
}

const byEntity = (examples: readonly Example[]) =>
  ["a", "b"].map((name) => examples.filter((example) => example.entity === name));

/** With a first row of each entity, before anything that could come late. */
function begun({ rows, words }: Story): Story {
  const first = [
    { second: 0, entity: "a" },
    { second: 0, entity: "b" },
  ] as const;
  const later = <At extends { readonly second: number }>(at: At): At => ({ ...at, second: at.second + 1 });
  return { rows: [...first, ...rows.map(later)], words: words.map(later) };
}

/** The last revision of every example. */
function inTheEnd({ examples }: Collected): ReadonlyMap<string, readonly unknown[]> {
  const sorted = examples.toSorted((a, b) => a.timeMs - b.timeMs || (a.revision ?? 0) - (b.revision ?? 0));
  return new Map(
    sorted.map(({ entity, timeMs, label, features }) => [`${entity} ${timeMs}`, [label, ...features]]),
  );
}

describe.each(kinds)("labels by %s", (kind) => {
  const task = tasks[kind];

  test("are the same in whatever order they come within the wait", () => {
    fc.assert(
      fc.property(story, (told) => {
        const [first, second] = [0 as const, 1 as const].map((which) =>
          run(task, arrivals(kind, told, which)),
        );
        expect(byEntity(second!.examples)).toEqual(byEntity(first!.examples));
        expect(first!.counters.get("labels.too-late")).toBe(0);
      }),
    );
  });

  test("are the same after a kill", () => {
    fc.assert(
      fc.property(story, fc.double({ min: 0, max: 1, noNaN: true }), (told, share) => {
        const readings = arrivals(kind, told, 0);
        const cut = run(task, readings, Math.floor(share * readings.length));
        expect(byEntity(cut.examples)).toEqual(byEntity(run(task, readings).examples));
        expect(cut.pipeline.unlabelled.rows).toBe(0);
      }),
    );
  });

  test("account for every row, and rise with event time", () => {
    fc.assert(
      fc.property(story, (told) => {
        const { counters, examples } = run(task, arrivals(kind, told, 0));
        const reasons = ["excluded", "censored", "silent", "unripe", "unlabelled", "impure", "matched"];
        const accounted = reasons.reduce((sum, reason) => sum + counters.get(`labels.${reason}`), 0);
        expect(accounted).toBe(counters.get("labels.rows"));
        for (const own of byEntity(examples)) {
          const times = own.map(({ timeMs }) => timeMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

describe.each(["event", "time", "interval"] as const)("labels by %s, where late rows still count", (kind) => {
  const { label, model } = tasks[kind];
  // biome-ignore lint/suspicious/noThenProperty: the task's own word; the value is never awaited.
  const late = { allowed: "20s", then: "update" };
  const revisable: Task = {
    ...taskWith({ field: "x" }, "regression", late),
    ...{ label, model },
  };

  test("are in the end those of rows that came in time", () => {
    const lateMs = fc.array(fc.constantFrom(0, 0, 0, 5_000, 19_000), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(story, lateMs, (drawn, delays) => {
        const told = begun(drawn);
        const late = run(revisable, arrivals(kind, told, 0, [0, 0, ...delays]));
        expect(late.pipeline.unlabelled.rows).toBe(0);
        expect(inTheEnd(late)).toEqual(inTheEnd(run(tasks[kind], arrivals(kind, told, 0))));
      }),
    );
  });
});

describe("labels by event", () => {
  const task = tasks.event;

  test("a 0 is never given before the horizon and the wait have passed", () => {
    fc.assert(
      fc.property(story, (told) => {
        const { pipeline, examples } = collect(task);
        let newestMs = 0;
        for (const reading of arrivals("event", told, 0)) {
          const before = examples.length;
          pipeline.push(reading);
          if (reading.source === "vib") newestMs = Math.max(newestMs, reading.timeMs);
          for (const { label, timeMs } of examples.slice(before)) {
            if (label === 0) expect(newestMs).toBeGreaterThan(timeMs + HORIZON_MS + WAIT_MS);
          }
        }
      }),
    );
  });

  test("a row is 1 exactly when a positive event lies in its horizon, and 0 only when none does", () => {
    fc.assert(
      fc.property(story, (told) => {
        const { examples } = run(task, arrivals("event", told, 0));
        for (const { entity, timeMs, label } of examples) {
          const isAhead = told.words.some(
            (word) =>
              word.entity === entity &&
              word.kind === 1 &&
              word.second * SECOND_MS > timeMs &&
              word.second * SECOND_MS <= timeMs + HORIZON_MS,
          );
          expect(label).toBe(isAhead ? 1 : 0);
        }
      }),
    );
  });

  test("an event after a row's horizon changes nothing about the row", () => {
    fc.assert(
      fc.property(story, second, fc.integer({ min: 1, max: 2 }), (told, at, kind) => {
        const added: Word = { second: at, entity: "a", kind, seconds: 1, delaysMs: [0, 0] };
        const isBefore = ({ timeMs }: Example) => timeMs + HORIZON_MS < at * SECOND_MS;
        const without = run(task, arrivals("event", told, 0)).examples.filter(isBefore);
        const words = [...told.words, added];
        const withIt = run(task, arrivals("event", { ...told, words }, 0)).examples.filter(isBefore);
        expect(withIt).toEqual(without);
      }),
    );
  });
});
