import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runJob } from "../../../../device/train/run-job.js";
import { metricValue } from "../../../../shared/model/metric.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { denseModel, evaluateJob, makeExamples, trainJob } from "../../../support/model.js";

let runtime: ModelRuntime;
const definition = denseModel();
let params: Float32Array;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-wasm");
  params = await (await runtime.model(definition)).initialParams("start");
});
afterAll(() => runtime.dispose());

describe("a train job", () => {
  test("takes one step per batch and epoch, the short batch included", async () => {
    const result = await runJob(runtime, trainJob(definition, params, { rows: 50, batch: 8, epochs: 3 }));
    expect(result.steps).toBe(3 * 7);
  });

  test("gives the same bits again, whatever ran in between", async () => {
    const job = trainJob(definition, params, { optimizer: { kind: "adam", learningRate: 0.01 } });
    const first = await runJob(runtime, job);
    await runJob(runtime, evaluateJob(definition, params));
    await runJob(runtime, trainJob(definition, first.params, { seed: "another" }));
    expect(await runJob(runtime, job)).toEqual(first);
  });

  test("shuffles by its seed", async () => {
    const [a, b] = [
      await runJob(runtime, trainJob(definition, params, { seed: "a" })),
      await runJob(runtime, trainJob(definition, params, { seed: "b" })),
    ];
    expect(a.params).not.toEqual(b.params);
  });

  test("with all rows in one batch the seed matters to nothing but rounding", async () => {
    const job = { rows: 16, batch: 64, epochs: 1 };
    const [a, b] = [
      await runJob(runtime, trainJob(definition, params, { ...job, seed: "a" })),
      await runJob(runtime, trainJob(definition, params, { ...job, seed: "b" })),
    ];
    expect(a.steps).toBe(1);
    expect(a.loss).toBeCloseTo(b.loss, 6);
  });

  test("learns, and leaves its own params as they were given", async () => {
    const given = params.slice();
    const long = await runJob(runtime, trainJob(definition, params, { rows: 200, epochs: 20 }));
    const short = await runJob(runtime, trainJob(definition, params, { rows: 200, epochs: 1 }));
    expect(long.loss).toBeLessThan(short.loss);
    expect(params).toEqual(given);
  });

  test("stops as soon as it diverges, and says so with a loss of NaN", async () => {
    const optimizer = { kind: "sgd", learningRate: 1e20 } as const;
    const result = await runJob(runtime, trainJob(definition, params, { epochs: 100, optimizer }));
    expect(result.loss).toBeNaN();
    expect(result.steps).toBeLessThan(10);
  });

  test("frees its optimizer, also when it is aborted", async () => {
    const before = runtime.liveTensors();
    await runJob(runtime, trainJob(definition, params, { optimizer: { kind: "adam", learningRate: 0.1 } }));
    expect(runtime.liveTensors()).toBe(before);
    const aborted = runJob(runtime, trainJob(definition, params), AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    expect(runtime.liveTensors()).toBe(before);
  });

  test("needs examples, and arrays that fit its model", async () => {
    await expect(runJob(runtime, trainJob(definition, params, { rows: 0 }))).rejects.toMatchObject({
      code: "data-missing",
    });
    const wrong = { ...trainJob(definition, params), examples: makeExamples(denseModel({}, 4), 5) };
    await expect(runJob(runtime, wrong)).rejects.toThrow("assertion failed");
  });
});

describe("an evaluate job", () => {
  test("scores every row, however many", async () => {
    const { sums } = await runJob(runtime, evaluateJob(definition, params, 2500));
    expect(sums.rows).toBe(2500);
    const model = await runtime.model(definition);
    model.load(params);
    const { x, y, rows } = makeExamples(definition, 2500);
    const squares = model
      .predict(x, rows)
      .reduce((sum, prediction, row) => sum + (prediction - y[row]!) ** 2, 0);
    // Predictions of whole and of part batches may round differently in float32.
    expect(metricValue(sums, "rmse")).toBeCloseTo(Math.sqrt(squares / rows), 5);
  });

  test("of no rows gives empty sums", async () => {
    const { sums } = await runJob(runtime, evaluateJob(definition, params, 0));
    expect(sums.rows).toBe(0);
    expect(metricValue(sums, "rmse")).toBeUndefined();
  });
});
