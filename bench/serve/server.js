// Serves a model over HTTP as a device does, while its one worker trains without a pause.

import { fastify } from "fastify";
import { createTrainerPool } from "../../dist/device/train/pool.js";
import { systemClock } from "../../dist/shared/clock.js";
import { Counters } from "../../dist/shared/counters.js";
import { silentLogger } from "../../dist/shared/log.js";
import { createRuntime } from "../../dist/shared/model/create-runtime.js";
import { defineModel } from "../../dist/shared/model/define.js";
import { registerInference } from "../../dist/shared/serving/register.js";

const { columns, hidden, batchRows, trains } = JSON.parse(process.argv[2]);

const output = { kind: "regression", loss: "meanSquaredError" };
const definition = defineModel({ kind: "dense", hidden, activation: "relu", output }, columns);
const runtime = await createRuntime("auto");
const model = await runtime.model(definition);
const params = await model.initialParams("bench");
const ones = (value) => Array.from({ length: columns }, () => value);
const scaler = { offset: ones(0), factor: ones(1), label: { offset: 0, factor: 1 } };
const version = { version: 1, params, scaler };
const served = {
  ...{ name: "bench", columns: ones(0).map((_, at) => `c${at}`), model },
  versions: () => [1],
  serving: () => 1,
  load: async (number) => (number === 1 ? version : undefined),
};
const models = { version: "bench", notReady: () => undefined, model: async () => served };
const counters = new Counters();
const app = fastify({ forceCloseConnections: true });
await registerInference(app, {
  ...{ models, counters, clock: systemClock, logger: silentLogger, limits: { batchRows } },
});
await app.listen({ host: "127.0.0.1", port: 0 });

const trainer = trains ? await createTrainerPool({ workers: 1, engine: "auto" }) : undefined;
let isOver = false;
let jobs = 0;
const training = trainer === undefined ? undefined : train();
process.send({ type: "listening", port: app.server.address().port });

process.on("message", async (message) => {
  if (message !== "stop") return;
  isOver = true;
  await training;
  await trainer?.close();
  await app.close();
  runtime.dispose();
  process.send({ type: "stopped", jobs, counters: counters.toJSON() });
  process.disconnect();
});

async function train() {
  const rows = 2_000;
  const x = Float32Array.from({ length: rows * columns }, (_, at) => Math.sin(at));
  const y = Float32Array.from({ length: rows }, (_, at) => Math.cos(at));
  const plan = { epochs: 5, batch: 32, optimizer: { kind: "sgd", learningRate: 0.001 } };
  while (!isOver) {
    const examples = { rows, x: x.slice(), y: y.slice() };
    await trainer.run({
      kind: "train",
      definition,
      params: params.slice(),
      examples,
      plan,
      seed: String(jobs),
    });
    jobs++;
  }
}
