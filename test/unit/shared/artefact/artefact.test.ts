import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { describeModel } from "../../../../shared/artefact/artefact.js";
import { readFiles, writeFiles } from "../../../../shared/artefact/disk.js";
import { artefactFiles, type Files, readArtefact } from "../../../../shared/artefact/files.js";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { artefactKeys, makeArtefact } from "../../../support/artefact.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
let runtime: ModelRuntime;
beforeAll(async () => {
  runtime = await createRuntime("auto");
  await tf.setBackend("cpu");
});
afterAll(() => runtime.dispose());

async function filesOf(model?: string) {
  const { artefact, spec } = await makeArtefact(runtime, model);
  return { artefact, files: artefactFiles(artefact, spec) };
}

function textOf(files: Files, name: string): string {
  return Buffer.from(files.get(name)!).toString("utf8");
}

/** From disk, as any tfjs program would. */
function tfjsModel(folder: string): Promise<tf.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const bytes = readFileSync(join(folder, weightsManifest[0].paths[0]));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const weightSpecs = weightsManifest[0].weights;
  return tf.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
}

const models: readonly (readonly [name: string, yaml: string])[] = [
  ["a linear model", "{ dense: [] }"],
  ["a network", "{ dense: [8, 4] }"],
  ["a classifier", "{ dense: [4], output: { classification: 3 } }"],
  ["a recurrent network", "{ lstm: { steps: 3, units: [4] }, dense: [3] }"],
  ["another recurrent network", "{ gru: { steps: 3, units: [4] } }"],
  ["a convolution", "{ conv1d: { steps: 3, filters: [4], kernel: 2 } }"],
  ["a binary classifier", "{ dense: [4], output: binary }"],
];

describe("an exported model", () => {
  test.each(models)("predicts in stock tfjs as in our engine: %s", async (name, yaml) => {
    const { artefact, files } = await filesOf(yaml);
    const folder = join(temp.path, name.replaceAll(" ", "-"));
    await writeFiles(folder, files, 0);
    const theirs = await tfjsModel(folder);
    const ours = await runtime.model(describeModel(artefact.loaded, artefact.manifest.arm).definition);
    ours.load(artefact.params);
    const x = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i) * 3);
    const expected = (theirs.predict(tf.tensor2d(x, [10, 3])) as tf.Tensor).dataSync();
    const found = ours.predict(x, 10);
    // Sums of float32 in another order: a few units in the last place.
    for (const [at, value] of found.entries()) expect(value).toBeCloseTo(expected[at]!, 5);
    theirs.dispose();
  });

  test("comes back from a folder and from an archive as it was", async () => {
    const { artefact, files } = await filesOf();
    for (const path of [join(temp.path, "folder"), join(temp.path, "archive.tar")]) {
      await writeFiles(path, files, 5);
      const read = await readArtefact(await readFiles(path), runtime);
      expect(read.params).toEqual(artefact.params);
      expect(read.scaler).toEqual(artefact.scaler);
      expect(read.manifest).toEqual(artefact.manifest);
      expect(read.publicKey.equals(artefactKeys.publicKey)).toBe(true);
      expect(read.loaded.taskHash).toBe(artefact.loaded.taskHash);
      await expect(writeFiles(path, files, 5)).rejects.toThrow(/is there already/);
    }
  });

  test("is the same to the byte every time", async () => {
    const [first, second] = [await filesOf(), await filesOf()];
    expect(first.files).toEqual(second.files);
  });

  test("cannot be changed in any byte of any file unnoticed", async () => {
    const { files } = await filesOf();
    const names = [...files.keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (name, at, by) => {
          const bytes = files.get(name)!.slice();
          const place = at % bytes.length;
          bytes[place] = bytes[place]! ^ by;
          const outcome = await readArtefact(new Map([...files, [name, bytes]]), runtime).catch(
            (error: unknown) => error,
          );
          if (outcome instanceof Error) return;
          // The index is not hashed, but all that is read of it is: what is left are spaces and what nobody reads.
          const { artefact } = await filesOf();
          expect(outcome).toMatchObject({
            manifest: artefact.manifest,
            params: artefact.params,
            scaler: artefact.scaler,
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  test("says what is wrong with it", async () => {
    const { files } = await filesOf();
    const without = (name: string) => new Map([...files].filter(([key]) => key !== name));
    await expect(readArtefact(without("headwater.json"), runtime)).rejects.toThrow(
      "there is no headwater.json",
    );
    await expect(readArtefact(without("weights.bin"), runtime)).rejects.toThrow("there is no weights.bin");
    const swapped = new Map([...files, ["weights.bin", new Uint8Array(4)]]);
    await expect(readArtefact(swapped, runtime)).rejects.toThrow(
      /weights\.bin is not the file that headwater\.json lists/,
    );
    await expect(readFiles(join(temp.path, "absent"))).rejects.toThrow(/cannot read the model/);
    const text = await readFiles(temp.write("text.tar", "no archive"));
    await expect(readArtefact(text, runtime)).rejects.toThrow(
      "it is no exported model: there is no headwater.json",
    );
  });

  test("signed by nobody is not exported", async () => {
    const { artefact, spec } = await makeArtefact(runtime);
    const manifest = { ...artefact.manifest, signature: new Uint8Array(64) };
    expect(() => artefactFiles({ ...artefact, manifest }, spec)).toThrow(/not signed by the key it names/);
    const params = artefact.params.map((value) => value + 1);
    expect(() => artefactFiles({ ...artefact, params }, spec)).toThrow(/hash of params and scaler/);
  });

  test("has a card with front matter, and a signature for MLflow", async () => {
    const { artefact, files } = await filesOf();
    const [, front, body] = textOf(files, "README.md").split("---\n");
    expect(parse(front!)).toMatchObject({
      ...{ library_name: "headwater", pipeline_tag: "tabular-regression", metrics: [] },
      "model-index": [{ name: "handmade v3" }],
    });
    expect(body).toContain(artefact.manifest.sha256);
    const mlmodel = parse(textOf(files, "MLmodel"));
    expect(JSON.parse(mlmodel.signature.inputs)).toEqual([
      { type: "tensor", "tensor-spec": { dtype: "float32", shape: [-1, 3] } },
    ]);
    expect(mlmodel.flavors).toHaveProperty("tfjs");
  });
});
