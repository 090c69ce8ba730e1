import { expect, test } from "vitest";
import { float32 } from "../../../../../shared/wire/codec/float32.js";
import { codecs, findCodec } from "../../../../../shared/wire/codec/registry.js";
import { codecContract } from "../../../../contract/codec.js";

codecContract(float32, () => 0);

test("floats are little-endian binary32", () => {
  expect(float32.encode(Float32Array.of(1, -2.5))).toEqual(
    Uint8Array.of(0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc0),
  );
});

test("NaN, infinities and minus zero survive: refusing them is not the codec's work", () => {
  const values = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0);
  expect(float32.decode(float32.encode(values), 4)).toEqual(values);
});

test("an unaligned view of a larger buffer is decoded and encoded alone", () => {
  const padded = Uint8Array.of(9, 0x00, 0x00, 0x80, 0x3f, 9);
  expect(float32.decode(padded.subarray(1, 5), 1)).toEqual(Float32Array.of(1));
  expect(float32.encode(Float32Array.of(0, 1, 2).subarray(1, 2))).toEqual(padded.subarray(1, 5));
});

test("a codec is found by its name only, not by what every object has", () => {
  for (const name of Object.keys(codecs)) expect(findCodec(name)?.name).toBe(name);
  for (const name of ["", "float64", "toString", "__proto__"]) expect(findCodec(name)).toBeUndefined();
});
