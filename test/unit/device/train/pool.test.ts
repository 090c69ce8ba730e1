import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { createTrainerPool, type TrainerPoolOptions } from "../../../../device/train/pool.js";
import { type SpawnWorker, spawnWorker } from "../../../../device/train/pool-worker.js";
import { runJob } from "../../../../device/train/run-job.js";
import type { ExampleBatch, Trainer } from "../../../../device/train/trainer.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { denseModel, evaluateJob, makeExamples, trainJob } from "../../../support/model.js";

const definition = denseModel();
const params = Float32Array.from({ length: 41 }, (_, at) => Math.sin(at) / 4);
/** Many small steps: long enough that an abort or a death finds it at work. */
const endless = trainJob(definition, params, { epochs: 1_000_000 });

const open: Trainer[] = [];
afterEach(() => Promise.all(open.splice(0).map((trainer) => trainer.close())));

async function poolOf(workers: number, options: Partial<TrainerPoolOptions> = {}): Promise<Trainer> {
  const pool = await createTrainerPool({ workers, engine: "tfjs-wasm", ...options });
  open.push(pool);
  return pool;
}

describe("a pool", () => {
  test("of 1, 2 and 4 workers gives the bytes that a runtime in place gives", async () => {
    const jobs = Array.from({ length: 9 }, (_, at) =>
      trainJob(definition, params, {
        seed: `job ${at}`,
        rows: 20 + 13 * at,
        optimizer: at % 2 === 0 ? { kind: "sgd", learningRate: 0.05 } : { kind: "adam", learningRate: 0.01 },
      }),
    );
    const runtime = await createTfjsRuntime("tfjs-wasm");
    const expected = [];
    for (const job of jobs) expected.push(await runJob(runtime, job));
    runtime.dispose();
    for (const workers of [1, 2, 4]) {
      const pool = await poolOf(workers);
      expect(await Promise.all(jobs.map((job) => pool.run(job)))).toEqual(expected);
    }
  });

  test("leaves the caller's arrays alone, whatever memory they lie in", async () => {
    const pool = await poolOf(1);
    const plain = makeExamples(definition, 30);
    const layouts = [plain, inSharedMemory(plain), inLargerBuffer(plain)];
    const results = [];
    for (const examples of layouts) {
      const copy = { x: examples.x.slice(), y: examples.y.slice() };
      results.push(await pool.run({ ...trainJob(definition, params), examples }));
      expect({ x: examples.x.slice(), y: examples.y.slice() }).toEqual(copy);
    }
    expect(params).toHaveLength(41);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  test("scores as well as trains", async () => {
    const pool = await poolOf(1);
    const { sums } = await pool.run(evaluateJob(definition, params, 70));
    expect(sums.rows).toBe(70);
  });

  test("passes on why a model or a job is refused, and goes on", async () => {
    const pool = await poolOf(1);
    const config = { name: "magic" };
    const odd = { ...definition, topologyHash: "odd", topology: { class_name: "Magic", config } };
    await expect(pool.run(trainJob(odd, params))).rejects.toMatchObject({ code: "model-unsupported" });
    await expect(pool.run(trainJob(definition, params, { rows: 0 }))).rejects.toMatchObject({
      code: "data-missing",
    });
    expect((await pool.run(trainJob(definition, params))).steps).toBe(14);
  });

  test("refuses more waiting jobs than its limit", async () => {
    const pool = await poolOf(1, { maxWaiting: 1 });
    const jobs = [1, 2, 3].map(() => pool.run(trainJob(definition, params)));
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  });

  test("does not start on an engine that cannot run in it", async () => {
    const spawn: SpawnWorker = (options) => spawnWorker({ ...options, engine: "none" as "tfjs-cpu" });
    await expect(createTrainerPool({ workers: 2, engine: "tfjs-cpu", spawn })).rejects.toMatchObject({
      code: "engine-unavailable",
    });
  });
});

describe("a worker that dies", () => {
  test("fails its job with training-failed, and another takes its place", async () => {
    const workers: Worker[] = [];
    const pool = await poolOf(1, { spawn: recordingInto(workers) });
    const doomed = pool.run(endless);
    const next = pool.run(trainJob(definition, params));
    await workers[0]?.terminate();
    await expect(doomed).rejects.toMatchObject({ code: "training-failed" });
    expect((await next).steps).toBe(14);
    expect(workers).toHaveLength(2);
  });

  test("while idle costs no job", async () => {
    const workers: Worker[] = [];
    const pool = await poolOf(1, { spawn: recordingInto(workers) });
    await workers[0]?.terminate();
    expect((await pool.run(trainJob(definition, params))).steps).toBe(14);
  });

  test("by a bug in the job fails that job only", async () => {
    const pool = await poolOf(2);
    const broken = { ...trainJob(definition, params), params: new Float32Array(3) };
    const outcomes = await Promise.allSettled([
      pool.run(broken),
      pool.run(trainJob(definition, params)),
      pool.run(trainJob(definition, params)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(outcomes[0]).toMatchObject({ reason: { code: "training-failed" } });
  });

  test("again and again is not replaced for ever, and waiting jobs hear of it", async () => {
    const workers: Worker[] = [];
    const pool = await poolOf(1, { spawn: recordingInto(workers) });
    const broken = { ...trainJob(definition, params), params: new Float32Array(3) };
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => pool.run(broken)));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(workers).toHaveLength(9);
    await expect(pool.run(trainJob(definition, params))).rejects.toMatchObject({ code: "training-failed" });
  });
});

describe("an abort", () => {
  test("ends the running job, and the worker takes the next", async () => {
    const workers: Worker[] = [];
    const pool = await poolOf(1, { spawn: recordingInto(workers) });
    const abort = new AbortController();
    const running = pool.run(endless, abort.signal);
    const next = pool.run(trainJob(definition, params));
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: "aborted" });
    expect((await next).steps).toBe(14);
    expect(workers).toHaveLength(1);
  });

  test("takes a waiting job out of the queue", async () => {
    const pool = await poolOf(1);
    const [first, second] = [new AbortController(), new AbortController()];
    const running = pool.run(endless, first.signal);
    const waiting = pool.run(endless, second.signal);
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    first.abort();
    await expect(running).rejects.toMatchObject({ code: "aborted" });
  });

  test("by closing the pool reaches every job", async () => {
    const pool = await poolOf(1);
    const jobs = [pool.run(endless), pool.run(endless)];
    const outcomes = Promise.allSettled(jobs);
    await pool.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: "aborted" } });
    await expect(pool.run(trainJob(definition, params))).rejects.toMatchObject({ code: "aborted" });
  });
});

function recordingInto(workers: Worker[]): SpawnWorker {
  return (options) => {
    const worker = spawnWorker(options);
    workers.push(worker);
    return worker;
  };
}

function inSharedMemory({ rows, x, y }: ExampleBatch): ExampleBatch {
  const share = (values: Float32Array) => {
    const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
    shared.set(values);
    return shared;
  };
  return { rows, x: share(x), y: share(y) };
}

function inLargerBuffer({ rows, x, y }: ExampleBatch): ExampleBatch {
  const embed = (values: Float32Array) => {
    const larger = new Float32Array(values.length + 100);
    larger.set(values, 50);
    return larger.subarray(50, 50 + values.length);
  };
  return { rows, x: embed(x), y: embed(y) };
}
