import { describe, expect, test } from "vitest";
import type { FittedScaler } from "../../../../shared/pipeline/types.js";
import { encodeFrame } from "../../../../shared/wire/frame.js";
import { decodeModelBlob, encodeModelBlob } from "../../../../shared/wire/model-blob.js";

const scaler: FittedScaler = { offset: [0.1, -3], factor: [1 / 3, 2], label: { offset: 71, factor: 1e-9 } };
const content = {
  params: Float32Array.of(1, -0.5, 3e-39),
  scaler,
  fingerprint: "a".repeat(64),
  modelSignature: "b".repeat(64),
};
const header = {
  fingerprint: content.fingerprint,
  modelSignature: content.modelSignature,
  codec: "float32",
  count: 1,
  scaler,
};
const one = Uint8Array.of(0, 0, 0x80, 0x3f);

test("a blob comes back bit by bit, the scaler in double precision", () => {
  expect(decodeModelBlob(encodeModelBlob(content))).toEqual({ ok: true, ...content });
});

test("equal content gives equal bytes, however the scaler was put together", () => {
  const { label, factor, offset } = scaler;
  const other = {
    ...content,
    scaler: { label: { factor: label.factor, offset: label.offset }, factor, offset },
  };
  expect(encodeModelBlob(other)).toEqual(encodeModelBlob(content));
});

test("the params belong to the caller", () => {
  const blob = encodeModelBlob(content);
  const decoded = decodeModelBlob(blob);
  if (decoded.ok) decoded.params.fill(9);
  expect(decodeModelBlob(blob)).toEqual({ ok: true, ...content });
});

describe("a blob is refused", () => {
  const refusals = [
    ["params that are not finite", header, Uint8Array.of(0, 0, 0xc0, 0x7f), "not-finite"],
    ["fewer params than announced", { ...header, count: 2 }, one, "malformed"],
    ["a codec nobody knows", { ...header, codec: "toString" }, one, "malformed"],
    ["a negative count", { ...header, count: -1 }, one, "malformed"],
    ["a scaler of unequal columns", { ...header, scaler: { ...scaler, factor: [1] } }, one, "malformed"],
    ["a scaler with NaN", { ...header, scaler: { ...scaler, factor: [1, Number.NaN] } }, one, "malformed"],
    ["no scaler", { ...header, scaler: null }, one, "malformed"],
  ] as const;
  test.each(refusals)("with %s", (_, faulty, body, reason) => {
    expect(decodeModelBlob(encodeFrame("model", faulty, body))).toEqual({ ok: false, reason });
  });

  test("when it is an update", () => {
    expect(decodeModelBlob(encodeFrame("update", header, one))).toEqual({ ok: false, reason: "malformed" });
  });
});
