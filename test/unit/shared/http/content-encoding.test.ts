// Compressed bodies: what went in comes out, and never more than is allowed.

import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBody } from "../../../../shared/http/content-encoding.js";

const body = fc.uint8Array({ maxLength: 300 });
const encoders = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  " GZip ": gzipSync,
  deflate: deflateSync,
} as const;

describe("a body", () => {
  test("comes out as it was before it was compressed", async () => {
    const encoding = fc.constantFrom<keyof typeof encoders>("gzip", "x-gzip", " GZip ", "deflate");
    await fc.assert(
      fc.asyncProperty(body, encoding, async (bytes, name) => {
        const decoded = await decodeBody(encoders[name](bytes), name, 300);
        expect(decoded.ok && new Uint8Array(decoded.body)).toEqual(bytes);
      }),
    );
  });

  test("that is not compressed is left alone", async () => {
    const bytes = Uint8Array.of(1, 2);
    for (const name of [undefined, "", "identity"]) {
      expect(await decodeBody(bytes, name, 1)).toEqual({ ok: true, body: bytes });
    }
  });

  test("that would unpack to more than the limit is not unpacked", async () => {
    const bomb = gzipSync(new Uint8Array(10_000_000));
    const message = "the body is larger than 1000 bytes once it is unpacked";
    expect(await decodeBody(bomb, "gzip", 1000)).toEqual({ ok: false, code: 413, message });
  });

  test("of any bytes, in any encoding, is an answer and no exception", async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.string({ maxLength: 50 }), async (bytes, name) => {
        const refused = { ok: false, code: expect.any(Number), message: expect.any(String) };
        for (const encoding of ["gzip", "deflate", `x${name}`]) {
          const decoded = await decodeBody(bytes, encoding, 100);
          if (!decoded.ok) expect(decoded).toEqual(refused);
        }
      }),
    );
  });

  test.each([
    ["br", 415, 'content-encoding is "br"; gzip and deflate are taken'],
    ["gzip, gzip", 415, 'content-encoding is "gzip, gzip"; gzip and deflate are taken'],
    ["__proto__", 415, 'content-encoding is "__proto__"; gzip and deflate are taken'],
    ["gzip", 400, "the body is not what content-encoding says: gzip"],
  ])("in %s is refused: %i", async (name, code, message) => {
    expect(await decodeBody(Buffer.from("{}"), name, 100)).toEqual({ ok: false, code, message });
  });
});
