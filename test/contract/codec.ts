// What every codec promises. A codec's own test runs this with the largest error it may make per element.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Codec } from "../../shared/wire/codec/port.js";

/** Runs the suite. `errorOf` answers how far a decoded value of these may be from the encoded one. */
export function codecContract(codec: Codec, errorOf: (values: Float32Array) => number): void {
  const finite = fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 300 });

  describe(`${codec.name} keeps the codec contract`, () => {
    test("decoding gives the encoded values back, within the stated error", () => {
      fc.assert(
        fc.property(finite, (values) => {
          const decoded = codec.decode(codec.encode(values), values.length);
          const error = errorOf(values);
          expect(decoded?.length).toBe(values.length);
          decoded?.forEach((value, i) => {
            expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(error);
          });
        }),
      );
    });

    test("the same values give the same bytes, no more than announced", () => {
      fc.assert(
        fc.property(finite, (values) => {
          const bytes = codec.encode(values);
          expect(codec.encode(values)).toEqual(bytes);
          expect(bytes.length).toBeLessThanOrEqual(codec.byteLength(values.length));
        }),
      );
    });

    test("bytes of another count are refused", () => {
      fc.assert(
        fc.property(finite, fc.integer({ min: 1, max: 1000 }), (values, more) => {
          expect(codec.decode(codec.encode(values), values.length + more)).toBeUndefined();
        }),
      );
    });

    test("arbitrary bytes never throw", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 1000 }), (bytes, count) => {
          const decoded = codec.decode(bytes, count);
          expect(decoded === undefined || decoded.length === count).toBe(true);
        }),
      );
    });

    test("neither side shares memory with its argument", () => {
      const values = Float32Array.of(1, 2, 3);
      const bytes = codec.encode(values);
      const decoded = codec.decode(bytes, 3);
      bytes.fill(0);
      expect(values).toEqual(Float32Array.of(1, 2, 3));
      expect(decoded?.some((value) => value !== 0)).toBe(true);
    });
  });
}
