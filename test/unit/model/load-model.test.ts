import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoadedModel, loadModel } from "../../../model/load-model.js";
import { writeFiles } from "../../../shared/artefact/disk.js";
import { artefactFiles } from "../../../shared/artefact/files.js";
import { createRuntime } from "../../../shared/model/create-runtime.js";
import { predictionId } from "../../../shared/pipeline/labels/prediction-id.js";
import { rawPublicKey } from "../../../shared/wire/signature.js";
import { artefactKeys, makeArtefact } from "../../support/artefact.js";
import { tempFolder } from "../../support/temp-folder.js";

const temp = tempFolder();
const path = join(temp.path, "model.tar");
let model: LoadedModel;
let pipelineHash: string;

beforeAll(async () => {
  const runtime = await createRuntime("auto");
  const { artefact, spec } = await makeArtefact(runtime);
  ({ pipelineHash } = artefact.loaded);
  await writeFiles(path, artefactFiles(artefact, spec), 0);
  runtime.dispose();
  model = await loadModel(path);
});
afterAll(() => model.close());

describe("a loaded model", () => {
  test("knows what it is", () => {
    expect(model).toMatchObject({ task: "handmade", version: 3, features: ["x", "y", "x.lag_1"] });
  });

  test("predicts rows of features by name and by place alike", () => {
    const byName = model.predict({ "x.lag_1": 3, x: 1, y: 2 });
    expect(model.predict([[1, 2, 3], Float32Array.of(1, 2, 3)])).toEqual([byName, byName]);
    expect(byName.probability).toBeNull();
    expect(Number.isFinite(byName.value)).toBe(true);
  });

  test("predicts as its engine twin and tfjs do", async () => {
    const rows = Array.from({ length: 300 }, (_, i) => [Math.sin(i), Math.cos(i), i / 100]);
    for (const engine of ["fused-js", "tfjs-cpu"] as const) {
      const other = await loadModel(path, { engine });
      const found = other.predict(rows);
      // Sums of float32 in another order, times the label's spread of 4.
      for (const [at, { value }] of model.predict(rows).entries())
        expect(found[at]!.value).toBeCloseTo(value, 4);
      other.close();
    }
  });

  test("runs readings through the pipeline and names predictions as a device does", () => {
    const at = (timeMs: number, x: number) => ({ source: "air", entity: "a", timeMs, values: { x, y: 0 } });
    expect(model.push(at(1000, 1))).toEqual([]);
    const out = [...model.push(at(2000, 2), at(3000, 4)), ...model.flush()];
    expect(out.map(({ timeMs }) => timeMs)).toEqual([2000, 3000]);
    expect(out[1]).toEqual({
      ...{ id: predictionId(pipelineHash, "a", 3000), entity: "a", timeMs: 3000, version: 3 },
      ...model.predict({ x: 4, y: 0, "x.lag_1": 2 }),
    });
    expect(model.counters).toEqual({ "features.warming-up": 1 });
  });

  test("says which feature is missing, unknown or no number", () => {
    expect(() => model.predict({ x: 1, z: 2, y: 3 })).toThrow("features: unknown z, missing x.lag_1");
    expect(() => model.predict([[1, 2]])).toThrow("row 0: 2 values, not one for each of 3 columns");
    expect(() => model.predict([[1, Number.NaN, 2]])).toThrow("row 0: y is NaN, not a finite number");
  });

  test("gives no prediction for a row beyond float32 once scaled, and all others", async () => {
    const runtime = await createRuntime("auto");
    const { artefact, spec } = await makeArtefact(runtime, undefined, [0.5, 1e30, 1]);
    const steep = join(temp.path, "steep.tar");
    await writeFiles(steep, artefactFiles(artefact, spec), 0);
    runtime.dispose();
    const own = await loadModel(steep);
    const at = (timeMs: number, y: number) => ({ source: "air", entity: "a", timeMs, values: { x: 1, y } });
    const out = [...own.push(at(1000, -2), at(2000, 1e17), at(3000, -2)), ...own.flush()];
    expect(out.map(({ timeMs }) => timeMs)).toEqual([3000]);
    expect(own.counters).toMatchObject({ "predictions.not-finite": 1 });
    const rows = [
      [1, -2, 3],
      [1, 1e17, 3],
    ];
    expect(() => own.predict(rows)).toThrow("row 1: the prediction is no finite number");
    own.close();
  });

  test("is loaded only when the server that was named has signed it", async () => {
    const own = await loadModel(path, { serverKey: rawPublicKey(artefactKeys.publicKey) });
    own.close();
    const foreign = Buffer.alloc(32, 1).toString("base64");
    await expect(loadModel(path, { serverKey: foreign })).rejects.toMatchObject({
      code: "signature-invalid",
    });
  });

  test("loads no network, broker or database", () => {
    const script = `
      const { loadModel } = await import("headwater/model");
      const model = await loadModel(process.argv[1]);
      model.predict([[1, 2, 3]]);
      model.close();`;
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script, path], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, NODE_DEBUG: "esm" },
    });
    expect(status, stderr.slice(-2000)).toBe(0);
    const loaded = [...stderr.matchAll(/Storing (\S+)/g)].map(([, url]) => url!);
    expect(loaded.some((url) => url.endsWith("/dist/model/load-model.js"))).toBe(true);
    expect(
      loaded.filter((url) => /^node:(?:net|tls|dgram|dns|https?|http2|worker_threads)/.test(url)),
    ).toEqual([]);
    const packages = loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    expect([...new Set(packages)].sort()).toEqual([
      ...["canonicalize", "fastest-levenshtein", "modern-tar", "msgpackr", "pure-rand", "yaml", "zod"],
    ]);
  });
});
