// Bodies that come compressed (RFC 9110, section 8.4), without letting a small one become a large one.

import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";

/** The body as it was before it was compressed, or why it cannot be had. */
export type DecodedBody =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly code: 400 | 413 | 415; readonly message: string };

const DECODERS: Readonly<Record<string, (body: Uint8Array, options: object) => Promise<Uint8Array>>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
};

/** Undoes `encoding`, the header's text: gzip, deflate (zlib's form) or none, not several. Off the main thread. */
export async function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  bytesMax: number,
): Promise<DecodedBody> {
  const name = encoding?.trim().toLowerCase() ?? "identity";
  if (name === "identity" || name === "") return { ok: true, body };
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (decode === undefined) {
    const message = `content-encoding is "${name.slice(0, 40)}"; gzip and deflate are taken`;
    return { ok: false, code: 415, message };
  }
  try {
    return { ok: true, body: await decode(body, { maxOutputLength: bytesMax }) };
  } catch (error) {
    if (error instanceof RangeError) {
      return {
        ok: false,
        code: 413,
        message: `the body is larger than ${bytesMax} bytes once it is unpacked`,
      };
    }
    return { ok: false, code: 400, message: `the body is not what content-encoding says: ${name}` };
  }
}
