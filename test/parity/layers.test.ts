import { afterAll, beforeAll, expect, test } from "vitest";
import { createTfjsRuntime, type TfjsRuntime } from "../../shared/model/tfjs.js";
import type { OptimizerSpec } from "../../shared/task/task.js";
import { pair, relativeDifference, worstTensor } from "../support/parity.js";
import { hasWrongGradientInTfjs, parityCases } from "../support/parity-cases.js";

let runtime: TfjsRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

// tfjs on cpu sums in float64 and rounds each tensor to float32; we sum in float32 blocks: some ulps of the largest.
const TOLERANCE = 1e-5;

test.each(parityCases)("%s: same layout, outputs, loss and gradient as tfjs", async (title, given) => {
  const { fused, tfjs, x, y, rows } = await pair(runtime, given);
  expect(fused.spec).toEqual(tfjs.spec);
  expect(relativeDifference(fused.predict(x, rows), tfjs.predict(x, rows))).toBeLessThan(TOLERANCE);
  const [ours, theirs] = [new Float32Array(fused.spec.count), new Float32Array(fused.spec.count)];
  const loss = await tfjs.lossGradient(x, y, rows, theirs);
  expect(Math.abs((await fused.lossGradient(x, y, rows, ours)) - loss)).toBeLessThan(
    TOLERANCE * Math.abs(loss),
  );
  if (hasWrongGradientInTfjs(title)) return;
  const { name, difference } = worstTensor(fused, ours, theirs);
  expect(difference, name).toBeLessThan(TOLERANCE);
});

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { kind: "sgd", learningRate: 0.01 },
  { kind: "momentum", learningRate: 0.003, momentum: 0.9 },
  { kind: "momentum", learningRate: 0.003, momentum: 0.9, nesterov: true },
  { kind: "adam", learningRate: 0.003 },
  { kind: "rmsprop", learningRate: 0.001, decay: 0.9 },
  { kind: "adagrad", learningRate: 0.01 },
];

const steppable = parityCases.filter(([title]) => !hasWrongGradientInTfjs(title));

test.each(steppable)("%s: the same loss as tfjs after 100 steps", async (title, given) => {
  const optimizer = OPTIMIZERS[title.length % OPTIMIZERS.length]!;
  const { fused, tfjs, x, y, rows } = await pair(runtime, given, 24);
  fused.compile({ optimizer });
  tfjs.compile({ optimizer });
  const first = await tfjs.lossGradient(x, y, rows, new Float32Array(tfjs.spec.count));
  let [ours, theirs] = [0, 0];
  for (let step = 0; step < 100; step++) {
    ours = await fused.step(x, y, rows);
    theirs = await tfjs.step(x, y, rows);
  }
  tfjs.release();
  // Where training has brought the loss near zero, its last digits are rounding: there 1 % of the first loss counts.
  const scale = Math.max(Math.abs(theirs), 0.01 * first);
  expect(Math.abs(ours - theirs), `${ours} against ${theirs} by ${optimizer.kind}`).toBeLessThan(
    1e-3 * scale,
  );
});
