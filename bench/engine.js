// Training speed of the engines, as ratios in one run: `npm run bench:engine [-- --json]`.
// Each engine trains in a process of its own (tfjs has one backend a process), several times in turn; the medians count.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const MODELS = {
  "19-64-1 batch 32": {
    widths: [19, 64, 1],
    batch: 32,
    output: { kind: "regression", loss: "meanSquaredError" },
  },
  "784-200-200-10 batch 10": {
    widths: [784, 200, 200, 10],
    batch: 10,
    output: { kind: "classification", classes: 10 },
  },
};
const ENGINES = ["stock-wasm", "tfjs-wasm", "tfjs-cpu"];
const REPEATS = 3;
const WARM_UP_MS = 1500;
const MEASURED_MS = 2500;

if (process.argv[2] === "--child") {
  const [engine, model] = process.argv.slice(3);
  const step =
    engine === "stock-wasm" ? await stockStep(MODELS[model]) : await ownStep(engine, MODELS[model]);
  process.stdout.write(`${await stepsPerSecond(step)}\n`);
  process.exit(0);
} else {
  report(measureAll());
}

function measureAll() {
  return Object.keys(MODELS).map((model) => {
    const runs = Object.fromEntries(ENGINES.map((engine) => [engine, []]));
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (const engine of ENGINES) runs[engine].push(measure(engine, model));
    }
    const stepsPerSecondOf = Object.fromEntries(ENGINES.map((engine) => [engine, median(runs[engine])]));
    return {
      model,
      stepsPerSecond: stepsPerSecondOf,
      overStockWasm: stepsPerSecondOf["tfjs-wasm"] / stepsPerSecondOf["stock-wasm"],
      overCpu: stepsPerSecondOf["tfjs-wasm"] / stepsPerSecondOf["tfjs-cpu"],
    };
  });
}

function measure(engine, model) {
  const script = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [script, "--child", engine, model], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(`${engine} failed: ${child.stderr}`);
  return Number(child.stdout.trim().split("\n").at(-1));
}

function report(results) {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(results)}\n`);
    return;
  }
  for (const { model, stepsPerSecond: speeds, overStockWasm, overCpu } of results) {
    const figures = ENGINES.map((engine) => `${engine} ${speeds[engine].toFixed(0)}`).join(", ");
    process.stdout.write(`${model}: ${figures} steps/s; `);
    process.stdout.write(
      `tfjs-wasm is ${overStockWasm.toFixed(2)}x stock wasm, ${overCpu.toFixed(2)}x cpu\n`,
    );
  }
}

async function ownStep(engine, { widths, batch, output }) {
  const { createTfjsRuntime } = await import("../dist/shared/model/tfjs.js");
  const { defineModel } = await import("../dist/shared/model/define.js");
  const runtime = await createTfjsRuntime(engine);
  const hidden = widths.slice(1, -1);
  const model = await runtime.model(
    defineModel({ kind: "dense", hidden, activation: "relu", output }, widths[0]),
  );
  model.load(await model.initialParams("bench"));
  model.compile({ kind: "sgd", learningRate: 0.01 });
  const { x, y } = makeBatch(widths, batch);
  return () => model.step(x, y, batch);
}

// tfjs as its own documentation uses it: a sequential model and trainOnBatch.
async function stockStep({ widths, batch, output }) {
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs");
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(
    fileURLToPath(new URL("../node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/", import.meta.url)),
  );
  await tf.setBackend("wasm");
  tf.enableProdMode();
  const isClassifier = output.kind === "classification";
  const model = tf.sequential();
  widths.slice(1).forEach((units, index) => {
    const isLast = index === widths.length - 2;
    const activation = isLast ? (isClassifier ? "softmax" : "linear") : "relu";
    model.add(tf.layers.dense({ units, activation, ...(index === 0 ? { inputShape: [widths[0]] } : {}) }));
  });
  model.compile({
    optimizer: tf.train.sgd(0.01),
    loss: isClassifier ? "categoricalCrossentropy" : "meanSquaredError",
  });
  const { x, y } = makeBatch(widths, batch);
  return async () => {
    const inputs = tf.tensor2d(x, [batch, widths[0]]);
    const targets = tf.tensor2d(y, [batch, widths.at(-1)]);
    await model.trainOnBatch(inputs, targets);
    inputs.dispose();
    targets.dispose();
  };
}

function makeBatch(widths, batch) {
  const x = Float32Array.from({ length: batch * widths[0] }, (_, index) => Math.sin(index));
  const outputs = widths.at(-1);
  const y = new Float32Array(batch * outputs);
  for (let row = 0; row < batch; row++) y[row * outputs + (row % outputs)] = 1;
  return { x, y };
}

async function stepsPerSecond(step) {
  await runFor(step, WARM_UP_MS);
  const { steps, ms } = await runFor(step, MEASURED_MS);
  return (1000 * steps) / ms;
}

async function runFor(step, wantedMs) {
  const started = performance.now();
  let steps = 0;
  while (performance.now() - started < wantedMs) {
    await step();
    steps++;
  }
  return { steps, ms: performance.now() - started };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
