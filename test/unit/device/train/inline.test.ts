import { expect, test } from "vitest";
import { createInlineTrainer } from "../../../../device/train/inline.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { denseModel, evaluateJob, trainJob } from "../../../support/model.js";

const definition = denseModel();

test("jobs given at once run one after the other: none disturbs another", async () => {
  const runtime = await createTfjsRuntime("tfjs-wasm");
  const params = await (await runtime.model(definition)).initialParams("start");
  const trainer = createInlineTrainer(runtime);
  const alone = await trainer.run(trainJob(definition, params));
  const [first, scores, second] = await Promise.all([
    trainer.run(trainJob(definition, params)),
    trainer.run(evaluateJob(definition, params)),
    trainer.run(trainJob(definition, params)),
  ]);
  expect(first).toEqual(alone);
  expect(second).toEqual(alone);
  expect(scores.sums.rows).toBe(50);
  await trainer.close();
});

test("a failed job rejects with a reason, and the next one runs", async () => {
  const runtime = await createTfjsRuntime("tfjs-wasm");
  const params = await (await runtime.model(definition)).initialParams("start");
  const trainer = createInlineTrainer(runtime);
  const broken = trainer.run(trainJob(definition, new Float32Array(3)));
  const sound = trainer.run(trainJob(definition, params));
  await expect(broken).rejects.toMatchObject({ code: "training-failed" });
  expect((await sound).steps).toBeGreaterThan(0);
  await trainer.close();
});

test("a closed trainer rejects what has not run", async () => {
  const trainer = createInlineTrainer(await createTfjsRuntime("tfjs-wasm"));
  await trainer.close();
  await expect(trainer.run(trainJob(definition, new Float32Array(41)))).rejects.toMatchObject({
    code: "aborted",
  });
});
