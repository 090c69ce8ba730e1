import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "../../../../shared/tensorboard/crc32c.js";
import { scalarRecord, versionRecord } from "../../../../shared/tensorboard/event.js";
import { readRecords } from "../../../support/event-file.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("checksums", () => {
  // The check value of the algorithm, and RFC 3720, appendix B.4.
  test.each([
    [Buffer.from("123456789"), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
  ])("%o", (bytes, checksum) => {
    expect(crc32c(bytes)).toBe(checksum);
  });

  test("are masked as TensorFlow does", () => {
    expect(maskedCrc32c(Buffer.from("123456789"))).toBe(0xc78ab0e5);
  });
});

describe("records", () => {
  test("a file begins with its version, byte for byte", () => {
    expect(hex(versionRecord(1.5))).toBe(
      "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c",
    );
  });

  test("a scalar, byte for byte", () => {
    expect(hex(scalarRecord({ wallSeconds: 2, step: 7, scalars: { loss: 0.25 } }))).toBe(
      "1a00000000000000129bd82d09000000000000004010072a0d0a0b0a046c6f7373150000803e93324efe",
    );
  });

  test("whatever is written is read again, steps beyond 32 bits and tags of any script among it", () => {
    const event = fc.record({
      wallSeconds: fc.double({ noNaN: true }),
      step: fc.nat(Number.MAX_SAFE_INTEGER),
      scalars: fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }), fc.float({ noNaN: true }), {
        minKeys: 1,
      }),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 5 }), (events) => {
        const file = Buffer.concat(events.map((each) => scalarRecord(each)));
        expect(readRecords(file)).toEqual(events);
      }),
    );
  });
});
