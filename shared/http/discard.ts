// The rest of a body that is too large to be taken. Who is still sending does not listen: an answer followed by the end of
// the connection would be lost, and the sender would see a broken pipe in place of the reason (RFC 9112, section 9.6).

import type { IncomingMessage } from "node:http";

/** What is read in vain, for one request. Who sends more than this learns from the broken connection. */
export const DISCARD_BYTES_MAX = 16 * 1024 * 1024;

/** Reads and drops what still comes; resolves at its end, or after so many bytes. The server's request timeout bounds it in time. */
export function discardBody(request: IncomingMessage, bytesMax = DISCARD_BYTES_MAX): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const count = (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes >= bytesMax) end();
    };
    const end = () => {
      request.off("data", count).off("end", end).off("close", end).pause();
      resolve();
    };
    request.on("data", count).on("end", end).on("close", end).resume();
  });
}
