import { expect, test } from "vitest";
import { AnomalyThreshold } from "../../../../device/infer/anomaly-threshold.js";
import type { BaseModel } from "../../../../device/model/check.js";
import type { Manifest } from "../../../../shared/wire/message.js";
import { taskId } from "../../../support/device-kit.js";
import { denseModel } from "../../../support/model.js";

const definition = denseModel({}, 1);

/** What makes nothing of any row, so that a row's error is its size. */
function open(quantile: number) {
  const rows: Uint8Array[] = [];
  let predicted = 0;
  const threshold = new AnomalyThreshold({
    quantile,
    model: {
      definition,
      predict: (_x, rows) => {
        predicted += rows;
        return new Float32Array(rows);
      },
    },
    heldOutCount: () => rows.length,
    heldOut: (limit) => rows.slice(-limit),
  });
  const hold = (...values: readonly number[]) => {
    for (const value of values) rows.push(new Uint8Array(Float32Array.of(value).buffer));
  };
  return { threshold, hold, predicted: () => predicted };
}

function version(number: number, digit = "0"): BaseModel {
  const manifest: Manifest = {
    ...{ v: 1, task: taskId("linear"), version: number, parent: 0, sha256: digit.repeat(64), bytes: 1 },
    ...{ fingerprint: "f", modelSignature: "m", createdMs: 0, expiresMs: 1 },
    signature: new Uint8Array(64),
  };
  const scaler = { offset: [0], factor: [1], label: { offset: 0, factor: 1 } };
  return { manifest, params: new Float32Array(1), scaler };
}

test("it is the quantile of the errors on the held-out rows", () => {
  const { threshold, hold } = open(0.9);
  hold(...Array.from({ length: 101 }, (_, i) => 100 - i));
  expect(threshold.of(version(1))).toBeCloseTo(90, 9);
});

test("it is not known before the quantile can lie among the rows", () => {
  const { threshold, hold } = open(0.9);
  hold(1, 2, 3, 4, 5, 6, 7, 8, 9);
  expect(threshold.of(version(1))).toBeUndefined();
  hold(10);
  expect(threshold.of(version(1))).toBeCloseTo(9.1, 9);
});

test("it is taken anew for another version, and when there are a tenth more rows; in between it stays", () => {
  const { threshold, hold, predicted } = open(0.5);
  hold(...new Array<number>(100).fill(1));
  expect(threshold.of(version(1))).toBe(1);
  hold(...new Array<number>(10).fill(1000));
  expect(threshold.of(version(1))).toBe(1);
  expect(predicted()).toBe(100);
  hold(1000);
  threshold.of(version(1));
  expect(predicted()).toBe(211);
  threshold.of(version(2));
  expect(predicted()).toBe(322);
  // A server that has lost its memory gives a number again.
  threshold.of(version(2, "1"));
  expect(predicted()).toBe(433);
});

test("it looks at the newest rows, and at no more than two thousand", () => {
  const { threshold, hold, predicted } = open(0.5);
  hold(...new Array<number>(3_000).fill(1), ...new Array<number>(2_000).fill(5));
  expect(threshold.of(version(1))).toBe(5);
  expect(predicted()).toBe(2_000);
});
