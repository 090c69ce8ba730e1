// Clients a second: for each, take the global params, 10 steps of 32 rows on its own examples, add what changed to a sum. On
// one or more worker threads, each with one engine that all its clients share.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { drawParams, makeBatch, models } from "./models.js";

const WARM_UP_MS = 1500;
const MEASURED_MS = 4000;
const STEPS = 10;

export async function measureClients(workers) {
  const script = fileURLToPath(import.meta.url);
  const rates = await Promise.all(
    Array.from({ length: workers }, () => {
      const worker = new Worker(script);
      return new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

if (!isMainThread) {
  const { createRuntime } = await import("../../dist/shared/model/create-runtime.js");
  const { mlp } = models;
  const runtime = await createRuntime("fused-wasm");
  const model = await runtime.model(mlp.definition);
  const global = drawParams(model.spec);
  const sum = new Float64Array(global.length);
  const { x, y } = makeBatch(mlp);
  const client = () => {
    model.load(global);
    model.compile({ optimizer: mlp.optimizer });
    for (let step = 0; step < STEPS; step++) model.step(x, y, mlp.batch);
    const params = model.params();
    for (let at = 0; at < sum.length; at++) sum[at] += params[at] - global[at];
  };
  const run = (ms) => {
    const started = performance.now();
    let clients = 0;
    while (performance.now() - started < ms) {
      client();
      clients++;
    }
    return (1000 * clients) / (performance.now() - started);
  };
  run(WARM_UP_MS);
  parentPort.postMessage(run(MEASURED_MS));
}
