import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { packValue, unpackValue } from "../../../../shared/wire/msgpack.js";

describe("what is spoken", () => {
  test.each([
    [null],
    [true],
    [0],
    [-1],
    [127],
    [128],
    [2 ** 32],
    [-(2 ** 31)],
    [Number.MAX_SAFE_INTEGER],
    [0.1],
    [Math.fround(0.1)],
    [5e-324],
    [Number.MAX_VALUE],
    ["Füllstand"],
    ["x".repeat(70_000)],
    [Uint8Array.of(1, 2, 3)],
    [new Uint8Array(70_000)],
    [[1, [2, [3]]]],
    [Array.from({ length: 70_000 }, (_, i) => i)],
    [{ a: 1, b: { c: null } }],
  ])("case %#: a value comes back as it was", (value) => {
    expect(unpackValue(packValue(value))).toEqual({ value });
  });

  test("a 64-bit integer from another implementation becomes a number", () => {
    expect(unpackValue(Uint8Array.of(0xcf, 0, 0, 0, 1, 0, 0, 0, 0))).toEqual({ value: 2 ** 32 });
    expect(unpackValue(Uint8Array.of(0xd3, 255, 255, 255, 255, 255, 255, 255, 255))).toEqual({ value: -1 });
  });

  test("a 32-bit float from another implementation becomes a number", () => {
    expect(unpackValue(Uint8Array.of(0xca, 0x3f, 0x80, 0, 0))).toEqual({ value: 1 });
  });

  test("an undefined field is sent as nil", () => {
    expect(unpackValue(packValue({ a: undefined }))).toEqual({ value: { a: null } });
  });

  test("packed bytes lie in a buffer of their own", () => {
    const packed = packValue({ a: 1 });
    expect(packed.buffer.byteLength).toBe(packed.length);
    expect(Buffer.isBuffer(packed)).toBe(false);
  });

  test("byte strings are plain views of what was unpacked, even of a Buffer in a pool", () => {
    const pooled = Buffer.from(packValue({ data: Uint8Array.of(1, 2, 3) }));
    const unpacked = unpackValue(pooled)?.value as { data: Uint8Array } | undefined;
    expect(Buffer.isBuffer(unpacked?.data)).toBe(false);
    expect(unpacked?.data.buffer).toBe(pooled.buffer);
    expect(Object.keys(pooled)).not.toContain("dataView");
  });
});

describe("what is refused", () => {
  test.each([
    ["nothing", []],
    ["a second value", [1, 1]],
    ["the tag that is never used", [0xc1]],
    ["an extension (timestamp)", [0xd6, 0xff, 0, 0, 0, 0]],
    ["an extension (msgpackr's undefined)", [0xd4, 0, 0]],
    ["an extension (msgpackr's error)", [0xc7, 1, 0x65, 0]],
    ["a map key that is a number", [0x81, 1, 1]],
    ["a map key that is bytes", [0x81, 0xc4, 1, 1, 1]],
    ["text cut short", [0xa5, 0x61]],
    ["bytes cut short", [0xc4, 5, 1]],
    ["a length cut short", [0xdb, 0]],
    ["a number cut short", [0xcb, 0, 0]],
    ["an array of 4 billion items", [0xdd, 255, 255, 255, 255]],
    ["an array of 30 million items", [0xdd, 1, 255, 255, 255]],
    ["a map of 4 billion entries", [0xdf, 255, 255, 255, 255]],
    ["text of 4 GB", [0xdb, 255, 255, 255, 255]],
    ["bytes of 4 GB", [0xc6, 255, 255, 255, 255]],
  ])("%s", (_, bytes) => {
    expect(unpackValue(Uint8Array.from(bytes))).toBeUndefined();
  });

  test("nesting without end", () => {
    const nested = new Uint8Array(100_000).fill(0x91);
    nested[nested.length - 1] = 0;
    expect(unpackValue(nested)).toBeUndefined();
  });

  test("the records of msgpackr itself", () => {
    const records = new Packr({ useRecords: true, structures: [] });
    expect(unpackValue(new Uint8Array(records.pack({ a: 1, b: 2 })))).toBeUndefined();
  });

  test("a __proto__ key changes no prototype", () => {
    const hostile = Uint8Array.of(0x81, 0xa9, ...Buffer.from("__proto__"), 0x81, 0xa1, 0x61, 1);
    const { value } = unpackValue(hostile) ?? {};
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { a?: number }).a).toBeUndefined();
  });
});
