import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES_MAX } from "../../../../shared/wire/frame.js";

const body = Uint8Array.of(1, 2, 3);
const frame = encodeFrame("update", { a: 1 }, body);

test("a frame holds magic, version, header, body and checksum, and nothing else", () => {
  expect(Buffer.from(frame.subarray(0, 5)).toString("latin1")).toBe("HWUP\x01");
  expect(frame.length).toBe(4 + 1 + 4 + 4 + 4 + 3 + 4);
  expect(decodeFrame("update", frame)).toEqual({ ok: true, header: { a: 1 }, body });
});

test("an empty body is allowed", () => {
  const empty = encodeFrame("update", { a: 1 }, new Uint8Array());
  expect(decodeFrame("update", empty)).toEqual({ ok: true, header: { a: 1 }, body: new Uint8Array() });
});

test("the body is a view of the frame, the frame is not one of the body", () => {
  const decoded = decodeFrame("update", frame);
  expect(decoded.ok && decoded.body.buffer).toBe(frame.buffer);
  expect(frame.buffer.byteLength).toBe(frame.length);
});

describe("a frame is refused", () => {
  test("as one of the other kind", () => {
    expect(decodeFrame("model", frame)).toEqual({ ok: false, reason: "malformed" });
  });

  test("with another version", () => {
    const other = frame.slice();
    other[4] = 2;
    expect(decodeFrame("update", other)).toEqual({ ok: false, reason: "malformed" });
  });

  test("with more bytes after it", () => {
    expect(decodeFrame("update", Uint8Array.of(...frame, 0))).toEqual({ ok: false, reason: "malformed" });
  });

  test("with a changed body, by its checksum", () => {
    const other = frame.slice();
    other[frame.length - 5]! ^= 1;
    expect(decodeFrame("update", other)).toEqual({ ok: false, reason: "bad-checksum" });
  });

  test("with a header that is not ours, although the checksum holds", () => {
    const other = frame.slice();
    other.fill(0xc1, 9, 13);
    new DataView(other.buffer).setUint32(other.length - 4, crc32(other.subarray(0, -4)), true);
    expect(decodeFrame("update", other)).toEqual({ ok: false, reason: "malformed" });
  });

  test.each([5, 13])("that claims 4 GB at byte %i, without allocating it", (offset) => {
    const other = frame.slice();
    new DataView(other.buffer).setUint32(offset, 0xffffffff, true);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) {
      expect(decodeFrame("update", other)).toEqual({ ok: false, reason: "malformed" });
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });
});

test("a header longer than the limit is a bug of the sender", () => {
  const header = { text: "x".repeat(FRAME_HEADER_BYTES_MAX) };
  expect(() => encodeFrame("update", header, body)).toThrow(/too long/);
});
