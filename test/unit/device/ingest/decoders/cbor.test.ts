import { Encoder } from "cbor-x";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCbor } from "../../../../../device/ingest/decoders/cbor.js";

const read = (hex: string) => readCbor(Buffer.from(hex.replace(/\s/g, ""), "hex"));

// RFC 8949, appendix A.
test.each<readonly [string, unknown]>([
  ["00", 0],
  ["1864", 100],
  ["1b000000e8d4a51000", 1000000000000],
  ["20", -1],
  ["3903e7", -1000],
  ["f90000", 0],
  ["f93c00", 1],
  ["f97bff", 65504],
  ["f90001", 2 ** -24],
  ["f9c400", -4],
  ["f97c00", Number.POSITIVE_INFINITY],
  ["f97e00", Number.NaN],
  ["fa47c35000", 100000],
  ["fb7e37e43c8800759c", 1e300],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["f7", undefined],
  ["c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"],
  ["c11a514b67b0", 1363896240],
  ["d818456449455446", Uint8Array.from([0x64, 0x49, 0x45, 0x54, 0x46])],
  ["1bffffffffffffffff", 2 ** 64],
  ["3bffffffffffffffff", -(2 ** 64)],
  ["64f0908591", "\u{10151}"],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a201020304", { 1: 2, 3: 4 }],
  ["a26161016162820203", { a: 1, b: [2, 3] }],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
])("%s", (hex, value) => {
  expect(read(hex)?.value).toEqual(value);
});

test("decimal fractions are numbers (RFC 8949, 3.4.4), typed arrays are arrays of them (RFC 8746)", () => {
  expect(read("c48221196ab3")?.value).toBe(273.15);
  expect(read("d841 44 0001ffff")?.value).toEqual(Float64Array.of(1, 65535));
  expect(read("d855 48 0000803f000000c0")?.value).toEqual(Float64Array.of(1, -2));
  expect(read("d840 43 0102ff")?.value).toEqual(Float64Array.of(1, 2, 255));
  expect(read("d84d 43 010000")).toBeUndefined();
});

test("a tag that asks for an object to be made is passed over: nothing is called", () => {
  // 27(["eval", "globalThis.reached = true"]), which makes some decoders build what is named.
  const code = Buffer.from("globalThis.reached = true").toString("hex");
  const value = read(`d81b 82 64 6576616c 7819 ${code}`);
  expect(value?.value).toEqual(["eval", "globalThis.reached = true"]);
  expect(Object.hasOwn(globalThis, "reached")).toBe(false);
});

test.each([
  ["cut short", "83 01 02"],
  ["followed by more", "01 02"],
  ["an array longer than the bytes", "9b 7fffffffffffffff 01"],
  ["a map longer than the bytes", "ba ffffffff 01 01"],
  ["text longer than the bytes", "7b 0000ffffffffffff 61"],
  ["nested too deeply", `${"81".repeat(20)}01`],
  ["nested so deeply that the stack runs out", `${"81".repeat(200_000)}01`],
  ["nested in tags so deeply that the stack runs out", `${"c1".repeat(200_000)}01`],
  ["a break without a beginning", "ff"],
  ["a break inside a definite array", "82 01 ff"],
  ["a key that is an array", "a1 80 01"],
  ["reserved", "1c"],
  ["text in chunks", "7f657374726561646d696e67ff"],
  ["bytes in chunks", "5f42010243030405ff"],
  ["nothing", ""],
])("refuses what is %s", (_, hex) => {
  expect(read(hex)).toBeUndefined();
});

test("keys that objects inherit are keys like others", () => {
  const value = read("a2 69 5f5f70726f746f5f5f 01 6b 636f6e7374727563746f72 02")?.value;
  expect(Object.getPrototypeOf(value)).toBe(null);
  expect(Object.entries(value as object)).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

describe("what cbor-x would do for a message, and must not", () => {
  const megabit = "ff".repeat(2 ** 17);

  test.each([
    // 79 s for a message of 256 KiB, did it make the number.
    ["a big number", `c2 5a 00020000 ${megabit}`],
    ["a negative big number", `c3 5a 00020000 ${megabit}`],
    ["a date", "c0 74 323031332d30332d32315432303a30343a30305a"],
    ["a set", "d90102 81 01"],
    ["a shared value", "d81c 81 01"],
    ["a regular expression", "d81b 82 66 526567457870 61 61"],
  ])("make %s: it is what is marked", (_, hex) => {
    const value = read(hex)?.value;
    const isPlain = typeof value === "string" || Array.isArray(value) || value instanceof Uint8Array;
    expect(isPlain).toBe(true);
  });

  test.each([
    ["define a record", "d9dfff 83 19e000 81 61 61 01"],
    ["define many", "d9dffe 83 1affffff00 81 61 61 00"],
    ["look up a record", "d9e000 81 01"],
    ["look up text in a bundle", "d9dff9 82 1a 00000000 00 60 60"],
    ["look up a packed value", "d8e1 80"],
    ["look up a packed value by a simple one", "e0"],
    ["look up a packed value by reference to a table", "82 d833 84 81 01 80 80 00 d8e1 80"],
  ])("%s: it is refused", (_, hex) => {
    expect(read(hex)).toBeUndefined();
  });

  test.each([
    ["itself", "d81c 81 d81d 00"],
    ["a map that is not closed yet", "d81c a1 61 61 d81d 00"],
  ])("hand out a value that holds %s", (_, hex) => {
    expect(() => JSON.stringify(read(hex))).not.toThrow();
  });

  test("allocate what a map's key says", () => {
    // A typed array of a map that has a `buffer`, of 4 GiB.
    expect(read("d840 a1 66 627566666572 1a ffffffff")).toEqual({ value: undefined });
    expect(read("d84d a1 66 627566666572 1a ffffffff")).toBeUndefined();
  });
});

const encoder = new Encoder({ useRecords: false, tagUint8Array: false });
const leaf = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: "grapheme" }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("tree"), { maxKeys: 4 }),
  ),
}));

test("reads what another implementation writes", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const outcome = readCbor(encoder.encode(value));
      expect(JSON.stringify(outcome?.value)).toBe(JSON.stringify(value));
    }),
  );
});

test("any bytes: a value or none, never a throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readCbor(bytes);
    }),
    { numRuns: 20_000 },
  );
});
