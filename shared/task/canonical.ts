// One text for one value: the bytes that hashes and signatures are taken over.

import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { assert } from "../assert.js";

// The package's types describe an ES module, but it is CommonJS: what arrives is the function itself.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** RFC 8785 (JCS) JSON of `value`. Keys whose value is undefined are left out; NaN and infinities are a bug. */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  assert(text !== undefined, "a value without JSON has no canonical form");
  return text;
}

/** SHA-256 in lower-case hex; text is hashed as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}
