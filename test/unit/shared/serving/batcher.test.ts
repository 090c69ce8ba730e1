import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../../shared/clock.js";
import { Counters } from "../../../../shared/counters.js";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { Batcher, type BatchLimits } from "../../../../shared/serving/batcher.js";
import { Payoff } from "../../../../shared/serving/payoff.js";
import type { ServedModel, ServedVersion } from "../../../../shared/serving/served-model.js";
import { denseModel } from "../../../support/model.js";
import { servedModel } from "../../../support/serving.js";

let runtime: ModelRuntime;
let served: ServedModel;
let version: ServedVersion;

beforeAll(async () => {
  runtime = await createRuntime("fused-js");
  served = await servedModel(runtime, denseModel({ hidden: [8] }, 3));
  version = (await served.load(3))!;
});

afterAll(() => runtime.dispose());

function batcherOf(limits: Partial<BatchLimits> = {}) {
  const counters = new Counters();
  return { batcher: new Batcher({ served, clock: systemClock, counters, limits }), counters };
}

test("requests computed together, in whatever sizes, get what each would get alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 8 }),
      async (sizes) => {
        const { batcher } = batcherOf({ batchRows: 16 });
        const requests = sizes.map((rows, request) => ({
          ...{ version, rows },
          features: Float32Array.from({ length: rows * 3 }, (_, at) => Math.sin(at + 7 * request)),
        }));
        const outcomes = await Promise.all(requests.map((request) => batcher.score(request)));
        for (const [at, { features, rows }] of requests.entries()) {
          const outcome = outcomes[at]!;
          if (!outcome.ok) throw new Error(outcome.problem.message);
          served.model.load(version.params);
          // The same sums in another grouping: equal to float32's precision.
          const alone = served.model.predict(features, rows);
          for (let row = 0; row < rows; row++) expect(outcome.value.value[row]).toBeCloseTo(alone[row]!, 5);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("what comes in one turn is one batch; another version is another batch", async () => {
  const { batcher, counters } = batcherOf();
  const features = new Float32Array(3);
  const other = { ...version, version: 4 };
  const requests = [version, version, other].map((of) => batcher.score({ version: of, features, rows: 1 }));
  expect((await Promise.all(requests)).every(({ ok }) => ok)).toBe(true);
  expect(counters.get("inference.batches")).toBe(2);
});

test("a full queue turns requests away, and takes them again once it has emptied", async () => {
  const { batcher } = batcherOf({ queueRows: 4 });
  const request = { version, features: new Float32Array(9), rows: 3 };
  const first = batcher.score(request);
  expect(await batcher.score(request)).toMatchObject({ ok: false, problem: { code: 429, retryMs: 1_000 } });
  expect(await first).toMatchObject({ ok: true });
  expect(await batcher.score(request)).toMatchObject({ ok: true });
});

test("a request that has waited too long is answered with an error", async () => {
  let elapsedMs = 0;
  const clock: Clock = { ...systemClock, elapsed: () => elapsedMs };
  const { definition } = served.model;
  const slow: ServedModel = {
    ...served,
    model: {
      definition,
      load: (params) => served.model.load(params),
      predict: (x, rows) => {
        elapsedMs += 101;
        return served.model.predict(x, rows);
      },
    },
  };
  const limits = { batchRows: 1, timeoutMs: 100 };
  const batcher = new Batcher({ served: slow, clock, counters: new Counters(), limits });
  const request = { version, features: new Float32Array(3), rows: 1 };
  const [first, second] = [batcher.score(request), batcher.score(request)];
  expect(await first).toMatchObject({ ok: true });
  expect(await second).toMatchObject({ ok: false, problem: { code: 503, reason: "timeout" } });
});

test("a model that fails fails the requests of its batch, and no later ones", async () => {
  let fails = true;
  const { definition } = served.model;
  const broken: ServedModel = {
    ...served,
    model: {
      definition,
      load: (params) => served.model.load(params),
      predict: (x, rows) => {
        if (fails) throw new Error("broken");
        return served.model.predict(x, rows);
      },
    },
  };
  const batcher = new Batcher({ served: broken, clock: systemClock, counters: new Counters() });
  const request = { version, features: new Float32Array(3), rows: 1 };
  expect(await batcher.score(request)).toMatchObject({ ok: false, problem: { code: 500 } });
  fails = false;
  expect(await batcher.score(request)).toMatchObject({ ok: true });
});

test("waiting pays only where a row alone is much dearer than among others, and others come", () => {
  const payoffOf = (aloneMs: number, batchMs: number, apartMs: number) => {
    const payoff = new Payoff(2);
    for (let n = 0; n < 50; n++) payoff.arrived(n * apartMs);
    payoff.computed(1, aloneMs);
    payoff.computed(32, batchMs);
    return payoff.isWorthWaiting;
  };
  expect(payoffOf(1, 2, 0.5)).toBe(true);
  expect(payoffOf(1, 2, 5)).toBe(false);
  expect(payoffOf(0.05, 1, 0.5)).toBe(false);
  expect(new Payoff(2).isWorthWaiting).toBe(false);
});
