import { describe, expect, test } from "vitest";
import type { DeviceId } from "../../../../shared/id.js";
import { QuantileSketch } from "../../../../shared/pipeline/quantile.js";
import { summarise } from "../../../../shared/pipeline/quantile-summary.js";
import { encodeFrame } from "../../../../shared/wire/frame.js";
import type { UpdateHeader } from "../../../../shared/wire/update.js";
import { decodeUpdate, encodeUpdate } from "../../../../shared/wire/update-frame.js";

const none = { train: null, evaluate: null, fit: null };
const sums = { rows: 3, squaredError: 0.1, absoluteError: 0.2, loss: 0.3, correct: 0 };
const statistics = { count: 2, mean: [1, 2], m2: [0, 0.5], min: [1, 1], max: [1, 3] };
const base = { task: "pumps", device: "pump-7" as DeviceId, round: 3, examples: 10 };

const train: UpdateHeader = {
  ...base,
  ...none,
  kind: "train",
  baseVersion: 2,
  modelSignature: "b".repeat(64),
  train: { codec: "float32", count: 2, fingerprint: "a".repeat(64), steps: 4, loss: 0.25 },
};
const evaluate: UpdateHeader = { ...train, ...none, kind: "evaluate", evaluate: sums };
const fit: UpdateHeader = {
  ...base,
  ...none,
  kind: "fit",
  baseVersion: 0,
  modelSignature: null,
  fit: statistics,
};
const sketch = new QuantileSketch();
sketch.add(7);
const robust: UpdateHeader = {
  ...fit,
  fit: { ...statistics, quantiles: [summarise(sketch), new Uint8Array()] },
};
const confusion = { truePositives: 1, falsePositives: 0, falseNegatives: 2 };
const binary: UpdateHeader = { ...evaluate, evaluate: { ...sums, correct: 1, confusion } };
const delta = Float32Array.of(0.5, -1);
const body = new Uint8Array(delta.buffer);

test.each([
  ["train", train, delta],
  ["evaluate", evaluate, undefined],
  ["evaluate", binary, undefined],
  ["fit", fit, undefined],
  ["fit", robust, undefined],
] as const)("an update of kind %s comes back as it was", (_, header, values) => {
  expect(decodeUpdate(encodeUpdate(header, values))).toEqual({ ok: true, header, delta: values });
});

describe("an update is refused", () => {
  const nan = Float32Array.of(0.5, Number.NaN);
  const infinite = Float32Array.of(Number.POSITIVE_INFINITY, 0);
  const refusals: readonly (readonly [string, object, Uint8Array, string])[] = [
    ["NaN in the delta", train, new Uint8Array(nan.buffer), "not-finite"],
    ["infinity in the delta", train, new Uint8Array(infinite.buffer), "not-finite"],
    ["a loss that is NaN", { ...train, train: { ...train.train, loss: Number.NaN } }, body, "not-finite"],
    ["NaN in sums", { ...evaluate, evaluate: { ...sums, loss: Number.NaN } }, body, "not-finite"],
    [
      "decisions that are no counts",
      { ...evaluate, evaluate: { ...sums, confusion: { ...confusion, falsePositives: 0.5 } } },
      new Uint8Array(),
      "malformed",
    ],
    [
      "decisions in part",
      { ...evaluate, evaluate: { ...sums, confusion: { truePositives: 1 } } },
      new Uint8Array(),
      "malformed",
    ],
    ["an infinite minimum", { ...fit, fit: { ...statistics, min: [-1 / 0, 1] } }, body, "not-finite"],
    ["less body than announced", train, body.subarray(4), "malformed"],
    ["more body than announced", train, new Uint8Array(12), "malformed"],
    ["a count of 2^53", { ...train, train: { ...train.train, count: 2 ** 53 - 1 } }, body, "malformed"],
    ["a codec nobody knows", { ...train, train: { ...train.train, codec: "zip" } }, body, "malformed"],
    ["a body behind sums", evaluate, body, "malformed"],
    ["the part of another kind", { ...train, kind: "evaluate" }, body, "malformed"],
    ["two parts", { ...train, evaluate: sums }, body, "malformed"],
    ["no part", { ...train, train: null }, new Uint8Array(), "malformed"],
    ["statistics of unequal columns", { ...fit, fit: { ...statistics, mean: [1] } }, body, "malformed"],
    [
      "quantiles of too few columns",
      { ...fit, fit: { ...statistics, quantiles: [summarise(sketch)] } },
      new Uint8Array(),
      "malformed",
    ],
    [
      "quantiles that are none",
      { ...fit, fit: { ...statistics, quantiles: [new Uint8Array(9), new Uint8Array()] } },
      new Uint8Array(),
      "malformed",
    ],
    ["a device id that is none", { ...train, device: "a/b" }, body, "malformed"],
    ["negative examples", { ...train, examples: -1 }, body, "malformed"],
  ];
  test.each(refusals)("with %s", (_, header, bytes, reason) => {
    expect(decodeUpdate(encodeFrame("update", header, bytes))).toEqual({ ok: false, reason });
  });

  test("when it is a model", () => {
    expect(decodeUpdate(encodeFrame("model", train, body))).toEqual({ ok: false, reason: "malformed" });
  });
});

describe("an update that contradicts itself is a bug of the sender", () => {
  test.each([
    ["a train header without a delta", train, undefined],
    ["a delta without a train header", evaluate, delta],
    ["a delta of another length", train, Float32Array.of(1)],
    [
      "a codec that does not exist",
      { ...train, train: { ...train.train, codec: "zip" } } as UpdateHeader,
      delta,
    ],
  ])("%s", (_, header, values) => {
    expect(() => encodeUpdate(header, values)).toThrow(/assertion failed/);
  });
});
