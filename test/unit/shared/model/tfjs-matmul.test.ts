import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";

beforeAll(async () => {
  await createTfjsRuntime("tfjs-wasm");
});

const small = fc.integer({ min: 1, max: 12 });
// Up to 100 x 100, beyond the size from which the right operand changes sides.
const dimension = fc.oneof(small, fc.integer({ min: 60, max: 100 }));

test("a product is the sum of products, however its operands lie, and leaves nothing in memory", () => {
  const backend = tf.findBackend("wasm");
  fc.assert(
    fc.property(small, dimension, dimension, fc.boolean(), fc.boolean(), (m, k, n, flipA, flipB) => {
      const before = backend.numDataIds();
      const a = Float32Array.from({ length: m * k }, (_, at) => Math.sin(at));
      const b = Float32Array.from({ length: k * n }, (_, at) => Math.cos(3 * at));
      const actual = tf.tidy(() => {
        const left = tf.tensor2d(a, flipA ? [k, m] : [m, k]);
        const right = tf.tensor2d(b, flipB ? [n, k] : [k, n]);
        return tf.matMul(left, right, flipA, flipB).dataSync();
      });
      expect(backend.numDataIds()).toBe(before);
      for (let row = 0; row < m; row++)
        for (let column = 0; column < n; column++) {
          let sum = 0;
          for (let i = 0; i < k; i++)
            sum += a[flipA ? i * m + row : row * k + i]! * b[flipB ? column * k + i : i * n + column]!;
          // A float32 sum of k products below 1 is off by at most k times the rounding of k.
          expect(Math.abs(actual[row * n + column]! - sum)).toBeLessThanOrEqual(k * k * 2 ** -24);
        }
    }),
    { numRuns: 60 },
  );
});

test("batches of matrices multiply as before", () => {
  const product = tf.tidy(() =>
    tf
      .matMul(tf.tensor3d([1, 2, 3, 4], [2, 1, 2]), tf.tensor3d([1, 1, 2, 2], [2, 1, 2]), false, true)
      .dataSync(),
  );
  expect([...product]).toEqual([3, 14]);
});
