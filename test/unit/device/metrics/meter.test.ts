import { expect, test } from "vitest";
import { DeviceMeter } from "../../../../device/metrics/meter.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { denseModel } from "../../../support/model.js";

test("a timed model answers as the model does, is the same object every time, and each answer is measured", async () => {
  const runtime = await createTfjsRuntime("tfjs-cpu");
  try {
    const meter = new DeviceMeter(new ManualClock());
    const timed = meter.timedRuntime(runtime);
    const definition = denseModel();
    const model = await timed.model(definition);
    expect(await timed.model(definition)).toBe(model);
    const bare = await runtime.model(definition);
    const params = await model.initialParams("seed");
    model.load(params);
    const x = Float32Array.from([1, 2, 3]);
    expect([...model.predict(x, 1)]).toEqual([...bare.predict(x, 1)]);
    expect(model.params()).toEqual(params);
    expect(meter.answers.snapshot()).toMatchObject({ count: 1, sum: 0 });
  } finally {
    runtime.dispose();
  }
});
