// One engine on one model, in a process of its own: answers "train MS" and "infer MS" with a rate. `child.js ENGINE MODEL`.

import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { drawParams, makeBatch, models } from "./models.js";

const [engine, name] = process.argv.slice(2);
const bench = models[name];
const { train, infer } = await (engine.startsWith("stock-") ? stock(engine.slice(6)) : ours(engine));
process.on("message", async ({ what, ms }) => {
  try {
    process.send({ rate: await rateOf(what === "train" ? train : infer, ms) });
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.send({ ready: true });

async function rateOf(run, ms) {
  const started = performance.now();
  let runs = 0;
  for (let spent = 0; spent < ms; spent = performance.now() - started) {
    // Looking at the clock costs what a small prediction does.
    for (let at = 0; at < (spent > 0 && runs > 1000 ? 64 : 1); at++, runs++) {
      const pending = run();
      if (pending instanceof Promise) await pending;
    }
  }
  return (1000 * runs) / (performance.now() - started);
}

async function ours(choice) {
  const { createRuntime } = await import("../../dist/shared/model/create-runtime.js");
  const runtime = await createRuntime(choice);
  const model = await runtime.model(bench.definition);
  model.load(drawParams(model.spec));
  model.compile({ optimizer: bench.optimizer });
  const { x, y } = makeBatch(bench);
  const row = x.slice(0, bench.definition.inputs);
  const out = new Float32Array(bench.definition.outputs);
  return { train: () => model.step(x, y, bench.batch), infer: () => model.predict(row, 1, out) };
}

// tfjs as its own documentation uses it: a layers model and trainOnBatch.
async function stock(backend) {
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs");
  if (backend === "wasm") {
    const wasm = require("@tensorflow/tfjs-backend-wasm");
    wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}${sep}`);
  }
  await tf.setBackend(backend);
  tf.enableProdMode();
  const { definition, batch, optimizer } = bench;
  const model = await tf.models.modelFromJSON(JSON.parse(JSON.stringify(definition.topology)));
  const loss = definition.output.kind === "classification" ? "categoricalCrossentropy" : "meanSquaredError";
  model.compile({ optimizer: tf.train[optimizer.kind](optimizer.learningRate), loss });
  const data = makeBatch(bench);
  const shape = model.inputs[0].shape.slice(1);
  const x = tf.tensor(data.x, [batch, ...shape]);
  const y = tf.tensor(data.y, [batch, definition.outputs]);
  const row = x.slice([0], [1]);
  return {
    train: () => model.trainOnBatch(x, y),
    infer: () => tf.tidy(() => model.predictOnBatch(row).dataSync()),
  };
}
