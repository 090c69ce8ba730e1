import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messageOf } from "../../shared/error.js";
import { createTfjsRuntime, type TfjsRuntime } from "../../shared/model/tfjs.js";
import type { JsonObject } from "../../shared/task/task.js";
import { layer, pair, relativeDifference, sequential, worstTensor } from "../support/parity.js";

let runtime: TfjsRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

const activation = fc.constantFrom("linear", "relu", "tanh", "sigmoid", "elu", "softplus", "softmax");
const units = fc.integer({ min: 1, max: 19 });
// No normalisation: of two channels it leaves the signs alone, and gradients that are rounding.
// Layers that take a sequence and give one, however short it has become.
const overSequences: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ units, activation }).map((config) => layer("Dense", config)),
  fc
    .record({
      filters: units,
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      activation,
    })
    .map(({ filters, kernel, stride, activation }) =>
      layer("Conv1D", { filters, kernel_size: [kernel], strides: [stride], padding: "same", activation }),
    ),
  fc
    .record({ kind: fc.constantFrom("SimpleRNN", "GRU", "LSTM"), units, go_backwards: fc.boolean() })
    .map(({ kind, ...config }) =>
      layer(kind, { ...config, return_sequences: true, ...(kind === "GRU" && { reset_after: false }) }),
    ),
  fc
    .integer({ min: 1, max: 3 })
    .map((size) => layer("MaxPooling1D", { pool_size: [size], strides: [size], padding: "same" })),
);
const endings = fc.constantFrom("Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling1D");
const architecture = fc.record({
  steps: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 7 }),
  layers: fc.array(overSequences, { minLength: 1, maxLength: 4 }),
  ending: endings,
  outputs: fc.integer({ min: 1, max: 5 }),
  rows: fc.integer({ min: 1, max: 9 }),
});

test("any stack of layers has the outputs and gradients that tfjs gives it", async () => {
  await fc.assert(
    fc.asyncProperty(architecture, async ({ steps, channels, layers, ending, outputs, rows }) => {
      const last = layer("Dense", { units: outputs });
      const topology = sequential([steps, channels], ...layers, layer(ending), last);
      const given = { topology, inputs: steps * channels, outputs, loss: "huber" } as const;
      const both = await pair(runtime, given, rows, JSON.stringify(topology)).catch(unlessTfjsCannot);
      fc.pre(both !== undefined);
      const { fused, tfjs, x, y } = both;
      expect(fused.spec).toEqual(tfjs.spec);
      expect(relativeDifference(fused.predict(x, rows), tfjs.predict(x, rows))).toBeLessThan(1e-4);
      const [ours, theirs] = [new Float32Array(fused.spec.count), new Float32Array(fused.spec.count)];
      await fused.lossGradient(x, y, rows, ours);
      await tfjs.lossGradient(x, y, rows, theirs);
      // Relative to the largest gradient of the model: where a layer saturates, its own is rounding.
      expect(relativeDifference(ours, theirs), worstTensor(fused, ours, theirs).name).toBeLessThan(1e-4);
    }),
    // One seed: now and then rounding decides on which side of a kink a value lies, and that is no fault.
    { numRuns: 100, seed: 20261124 },
  );
}, 120_000);

// tfjs trains no recurrent layer over a single step: there is nothing to compare with.
function unlessTfjsCannot(error: unknown): undefined {
  if (messageOf(error).includes("passed to stack")) return undefined;
  throw error;
}
