import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceFact, Prediction } from "../../../../device/fact.js";
import { Predictor } from "../../../../device/infer/predictor.js";
import { ModelSlot } from "../../../../device/infer/slot.js";
import { ModelCache } from "../../../../device/model/cache.js";
import { hashBlob } from "../../../../device/model/hashed-blob.js";
import { Counters } from "../../../../shared/counters.js";
import { modelSignature } from "../../../../shared/model/define.js";
import type { ModelDefinition } from "../../../../shared/model/definition.js";
import type { Model, ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { predictionId } from "../../../../shared/pipeline/labels/prediction-id.js";
import { scalerHash } from "../../../../shared/pipeline/scaler.js";
import { sha256Hex } from "../../../../shared/task/canonical.js";
import type { Manifest } from "../../../../shared/wire/message.js";
import { encodeModelBlob } from "../../../../shared/wire/model-blob.js";
import { createDisk, taskId } from "../../../support/device-kit.js";
import { denseModel } from "../../../support/model.js";

const pipelineHash = "0".repeat(64);
const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 100, factor: 0.1 } };
const linear = denseModel({ hidden: [] }, 2);
const classes = denseModel({ hidden: [], output: { kind: "classification", classes: 3 } }, 2);

const binary = denseModel({ hidden: [], output: { kind: "binary" } }, 2);

let runtime: ModelRuntime;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});

afterAll(() => runtime.dispose());

/** A slot over `model`, and versions for it. */
async function openSlot(definition: ModelDefinition, wrap: (model: Model) => Model = (model) => model) {
  const model = wrap(await runtime.model(definition));
  const { spec } = model;
  const counters = new Counters();
  const facts: DeviceFact[] = [];
  const predictions: Prediction[] = [];
  const cache = new ModelCache(createDisk().state);
  const slot = new ModelSlot({
    cache,
    place: { definition, spec, pipelineHash },
    model,
    samples: () => [],
    isSigned: () => true,
    counters,
    observe: (fact) => facts.push(fact),
  });
  const predictor = new Predictor({
    ...{ slot, model, pipelineHash, counters, sink: (value: Prediction) => predictions.push(value) },
  });
  const install = (version: number, params: Float32Array) => {
    const { topologyHash } = definition;
    const signature = modelSignature({ pipelineHash, scalerHash: scalerHash(scaler), topologyHash });
    const { fingerprint } = spec;
    const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature: signature });
    const manifest: Manifest = {
      v: 1,
      task: taskId("linear"),
      version,
      parent: 0,
      sha256: sha256Hex(blob),
      bytes: blob.length,
      fingerprint,
      modelSignature: signature,
      createdMs: 0,
      expiresMs: 1,
      signature: new Uint8Array(64),
    };
    return slot.install(hashBlob(blob), manifest);
  };
  return { slot, predictor, predictions, install, counters, facts, cache };
}

function row(timeMs: number, ...features: number[]) {
  return { entity: "pump", timeMs, features: Float32Array.from(features), test: false };
}

test("without a version nothing is predicted", async () => {
  const { predictor, predictions } = await openSlot(linear);
  predictor.predict([row(1, 1, 1)]);
  expect(predictions).toEqual([]);
});

test("a regression is given in the label's own unit", async () => {
  const { predictor, predictions, install } = await openSlot(linear);
  expect(install(1, Float32Array.of(2, 3, 4))).toBe("serving");
  predictor.predict([row(1, 1, 0), row(2, 0, 1)]);
  expect(predictions.map(({ value, probability }) => [value, probability])).toEqual([
    [160, null],
    [170, null],
  ]);
});

test("a class is given by its index, with its probability", async () => {
  const { predictor, predictions, install } = await openSlot(classes);
  install(1, Float32Array.of(0, 5, 0, 0, 0, 5, 0, 0, 0));
  predictor.predict([row(1, 1, 0), row(2, 0, 1)]);
  expect(predictions.map(({ value }) => value)).toEqual([1, 2]);
  expect(predictions[0]!.probability).toBeCloseTo(Math.exp(5) / (Math.exp(5) + 2), 5);
});

test("a binary answer is 0 or 1, with the probability of 1 either way", async () => {
  const { predictor, predictions, install } = await openSlot(binary);
  install(1, Float32Array.of(3, -2, 0));
  predictor.predict([row(1, 1, 0), row(2, 0, 1), row(3, 0, 0)]);
  expect(predictions.map(({ value }) => value)).toEqual([1, 0, 0]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  // Float32 outputs.
  for (const [at, x] of [3, -2, 0].entries()) expect(predictions[at]!.probability).toBeCloseTo(sigmoid(x), 6);
});

test("more rows than one batch are all predicted, in order", async () => {
  const { predictor, predictions, install } = await openSlot(linear);
  install(1, Float32Array.of(1, 0, 0));
  predictor.predict(Array.from({ length: 600 }, (_, i) => row(i, i, 0)));
  expect(predictions.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect(predictions[599]!.value).toBeCloseTo(599 / 0.1 + 100, 1);
});

test("an answer that is not finite is counted, not given", async () => {
  const { predictor, predictions, install, counters } = await openSlot(linear);
  install(1, Float32Array.of(1e30, 0, 0));
  predictor.predict([row(1, 1e30, 0), row(2, 0, 0)]);
  expect(predictions.map(({ timeMs }) => timeMs)).toEqual([2]);
  expect(counters.get("predictions.not-finite")).toBe(1);
});

test("a version that fails while serving gives way to the one before it, and no row is lost", async () => {
  let isBroken = false;
  let loaded: Float32Array | undefined;
  const breakable = (model: Model): Model => ({
    ...model,
    definition: model.definition,
    spec: model.spec,
    load: (params) => {
      loaded = params;
      model.load(params);
    },
    predict: (x, rows) => {
      if (isBroken && loaded?.[0] === 2) throw new Error("out of memory");
      return model.predict(x, rows);
    },
  });
  const { predictor, predictions, install, facts, cache } = await openSlot(linear, breakable);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(2, 0, 0));
  isBroken = true;
  predictor.predict([row(1, 1, 0)]);
  expect(predictions).toMatchObject([{ version: 1, value: 110 }]);
  expect(facts.map(({ type }) => type)).toEqual(["serving", "serving", "model-rejected", "serving"]);
  expect(cache.read("current")?.manifest.version).toBe(1);
  expect(cache.read("previous")).toBeUndefined();
});

test("a prediction is named after its row: under every version the same", async () => {
  const { predictor, predictions, install } = await openSlot(linear);
  install(1, Float32Array.of(2, 3, 4));
  predictor.predict([row(1, 1, 0), row(2, 1, 0)]);
  install(2, Float32Array.of(0, 0, 0));
  predictor.predict([row(1, 1, 0)]);
  const [first, second, again] = predictions.map(({ id }) => id);
  expect(first).toBe(predictionId(pipelineHash, "pump", 1));
  expect(second).not.toBe(first);
  expect(again).toBe(first);
  expect(predictions.map(({ anomaly }) => anomaly)).toEqual([null, null, null]);
});
