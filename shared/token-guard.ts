// A bearer token (RFC 6750): who has it is let in.

import { createHash, timingSafeEqual } from "node:crypto";

/** Judges the Authorization header of a request. */
export type TokenGuard = (authorization: string | undefined) => boolean;

/** Compares hashes, which are of one length: how long it takes says nothing of the token. Without one, all may. */
export function createTokenGuard(token: string | undefined): TokenGuard {
  if (token === undefined) return () => true;
  const wanted = sha256(`Bearer ${token}`);
  return (authorization) => timingSafeEqual(sha256(authorization ?? ""), wanted);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
