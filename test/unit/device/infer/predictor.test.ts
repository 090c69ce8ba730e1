import { afterAll, beforeAll, expect, test } from "vitest";
import type { Prediction } from "../../../../device/fact.js";
import { Predictor, type Verdicts } from "../../../../device/infer/predictor.js";
import type { ModelDefinition } from "../../../../shared/model/definition.js";
import type { Model, ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { predictionId } from "../../../../shared/pipeline/labels/prediction-id.js";
import { denseModel } from "../../../support/model.js";
import { openSlot, pipelineHash } from "../../../support/slot-lab.js";

const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 100, factor: 0.1 } };
const linear = denseModel({ hidden: [] }, 2);
const classes = denseModel({ hidden: [], output: { kind: "classification", classes: 3 } }, 2);

const binary = denseModel({ hidden: [], output: { kind: "binary" } }, 2);

let runtime: ModelRuntime;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});

afterAll(() => runtime.dispose());

/** A predictor over a slot, and versions for it. */
async function openPredictor(definition: ModelDefinition, wrap: (model: Model) => Model = (model) => model) {
  const model = wrap(await runtime.model(definition));
  const predictions: Prediction[] = [];
  const watched: { readonly serving: Verdicts; readonly beside: Verdicts | undefined }[] = [];
  const lab = openSlot(model, { scaler });
  const predictor = new Predictor({
    ...{ ...lab, model, pipelineHash, sink: (value: Prediction) => predictions.push(value) },
    watch: (_rows, serving, beside) => watched.push({ serving, beside }),
  });
  return { ...lab, predictor, predictions, watched };
}

/** A model that throws when these params are asked about these rows. */
function breaks(when: (loaded: Float32Array, x: Float32Array) => boolean): (model: Model) => Model {
  return (model) => {
    let loaded: Float32Array = new Float32Array();
    return {
      ...model,
      definition: model.definition,
      spec: model.spec,
      load: (params) => {
        loaded = params;
        model.load(params);
      },
      predict: (x, rows, out) => {
        if (when(loaded, x)) throw new Error("out of memory");
        return model.predict(x, rows, out);
      },
    };
  };
}

function row(timeMs: number, ...features: number[]) {
  return { entity: "pump", timeMs, features: Float32Array.from(features), test: false };
}

test("without a version nothing is predicted", async () => {
  const { predictor, predictions } = await openPredictor(linear);
  predictor.predict([row(1, 1, 1)]);
  expect(predictions).toEqual([]);
});

test("a regression is given in the label's own unit", async () => {
  const { predictor, predictions, install } = await openPredictor(linear);
  expect(install(1, Float32Array.of(2, 3, 4))).toBe("installed");
  predictor.predict([row(1, 1, 0), row(2, 0, 1)]);
  expect(predictions.map(({ value, probability }) => [value, probability])).toEqual([
    [160, null],
    [170, null],
  ]);
});

test("a class is given by its index, with its probability", async () => {
  const { predictor, predictions, install } = await openPredictor(classes);
  install(1, Float32Array.of(0, 5, 0, 0, 0, 5, 0, 0, 0));
  predictor.predict([row(1, 1, 0), row(2, 0, 1)]);
  expect(predictions.map(({ value }) => value)).toEqual([1, 2]);
  expect(predictions[0]!.probability).toBeCloseTo(Math.exp(5) / (Math.exp(5) + 2), 5);
});

test("a binary answer is 0 or 1, with the probability of 1 either way", async () => {
  const { predictor, predictions, install } = await openPredictor(binary);
  install(1, Float32Array.of(3, -2, 0));
  predictor.predict([row(1, 1, 0), row(2, 0, 1), row(3, 0, 0)]);
  expect(predictions.map(({ value }) => value)).toEqual([1, 0, 0]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  // Float32 outputs.
  for (const [at, x] of [3, -2, 0].entries()) expect(predictions[at]!.probability).toBeCloseTo(sigmoid(x), 6);
});

test("more rows than one batch are all predicted, in order", async () => {
  const { predictor, predictions, install } = await openPredictor(linear);
  install(1, Float32Array.of(1, 0, 0));
  predictor.predict(Array.from({ length: 600 }, (_, i) => row(i, i, 0)));
  expect(predictions.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect(predictions[599]!.value).toBeCloseTo(599 / 0.1 + 100, 1);
});

test("an answer that is not finite is counted, not given", async () => {
  const { predictor, predictions, install, counters } = await openPredictor(linear);
  install(1, Float32Array.of(1e30, 0, 0));
  predictor.predict([row(1, 1e30, 0), row(2, 0, 0)]);
  expect(predictions.map(({ timeMs }) => timeMs)).toEqual([2]);
  expect(counters.get("predictions.not-finite")).toBe(1);
});

test("a row that scales to no finite number is answered by none, and no version is blamed for it", async () => {
  const { predictor, predictions, install, counters, slot } = await openPredictor(linear);
  install(1, Float32Array.of(1, 1, 0));
  for (let i = 0; i < 50; i++) predictor.predict([row(1, Number.POSITIVE_INFINITY, 0), row(2, 1, 0)]);
  expect(predictions.map(({ timeMs }) => timeMs)).toEqual(new Array(50).fill(2));
  expect(counters.get("predictions.not-finite")).toBe(50);
  expect(slot.serving?.manifest.version).toBe(1);
});

test("a version whose answers are no numbers gives way after a tenth of the latest", async () => {
  const { predictor, predictions, install, facts, failures } = await openPredictor(linear);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(1e30, 0, 0));
  for (let i = 0; i < 17; i++) predictor.predict([row(i, 0, 0)]);
  for (let i = 17; i < 19; i++) predictor.predict([row(i, 1e30, 0)]);
  expect(facts.filter(({ type }) => type === "version-failed")).toEqual([]);
  predictor.predict([row(19, 1e30, 0)]);
  predictor.predict([row(20, 2, 0)]);
  expect(facts).toContainEqual({ type: "version-failed", version: 2, reason: "not-finite" });
  expect(predictions.at(-1)).toMatchObject({ version: 1, value: 120 });
  expect(failures.versions).toMatchObject([{ version: 2 }]);
});

test("in a canary both versions are asked, and only the canary's word is given out", async () => {
  const { predictor, predictions, install, watched } = await openPredictor(linear);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(2, 0, 0), "trial", "canary");
  predictor.predict([row(1, 1, 0)]);
  expect(predictions).toMatchObject([{ version: 2, value: 120 }]);
  expect(watched[0]?.serving.version.manifest.version).toBe(2);
  expect(watched[0]?.beside?.version.manifest.version).toBe(1);
  expect(watched[0]?.beside?.values).toEqual(Float64Array.of(110));
});

test("in a shadow both versions are asked, and only stable's word is given out", async () => {
  const { predictor, predictions, install, watched } = await openPredictor(linear);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(2, 0, 0), "trial", "shadow");
  predictor.predict([row(1, 1, 0)]);
  expect(predictions).toMatchObject([{ version: 1, value: 110 }]);
  expect(watched[0]?.beside?.values).toEqual(Float64Array.of(120));
});

test("a shadow that gives errors is dropped and remembered; what is served stays", async () => {
  const breakable = breaks((loaded, x) => x[0] === 5 && loaded[0] === 2);
  const { predictor, predictions, install, slot, failures } = await openPredictor(linear, breakable);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(2, 0, 0), "trial", "shadow");
  predictor.predict([row(1, 5, 0)]);
  expect(predictions).toMatchObject([{ version: 1 }]);
  expect(slot.beside).toBeUndefined();
  expect(failures.versions).toMatchObject([{ version: 2 }]);
});

test("rows whose predictions are known are asked about, and not given out again", async () => {
  const { predictor, predictions, install, watched } = await openPredictor(linear);
  install(1, Float32Array.of(1, 0, 0));
  predictor.predict([row(1, 1, 0)], true);
  expect(predictions).toEqual([]);
  expect(watched).toHaveLength(1);
});

test("a version that fails while serving gives way to the one before it, and no row is lost", async () => {
  let isBroken = false;
  const breakable = breaks((loaded) => isBroken && loaded[0] === 2);
  const { predictor, predictions, install, facts, cache } = await openPredictor(linear, breakable);
  install(1, Float32Array.of(1, 0, 0));
  install(2, Float32Array.of(2, 0, 0));
  isBroken = true;
  predictor.predict([row(1, 1, 0)]);
  expect(predictions).toMatchObject([{ version: 1, value: 110 }]);
  expect(facts.map(({ type }) => type)).toEqual(["serving", "serving", "version-failed", "serving"]);
  expect(cache.read("stable")?.manifest.version).toBe(1);
  expect(cache.read("previous")).toBeUndefined();
});

test("a prediction is named after its row: under every version the same", async () => {
  const { predictor, predictions, install } = await openPredictor(linear);
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
