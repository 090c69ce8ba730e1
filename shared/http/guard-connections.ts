// Connections that get no answer of an application: too many of them, too slow, or not HTTP. Counted, and logged once.

import type { Server } from "node:http";
import type { Counters } from "../counters.js";
import type { Logger } from "../log.js";

/** Why a connection was ended. */
export type ConnectionRefusal = "too-many-connections" | "too-slow" | "too-long-header" | "malformed";

/** How often Node looks for requests that take longer than they may; its own default would let them be for 30 s more. */
export const TIMEOUT_CHECK_MS = 2_000;

/** Bounds the connections of a server that does not listen yet; `note` is told of each that is refused. */
export function guardConnections(
  server: Server,
  connectionsMax: number,
  note: (reason: ConnectionRefusal) => void,
): void {
  server.maxConnections = connectionsMax;
  // Node exchanges the two where that for headers is the longer one, and then bodies have a minute.
  server.headersTimeout = server.requestTimeout;
  server.on("drop", () => note("too-many-connections"));
  server.on("clientError", ({ code }: NodeJS.ErrnoException) => {
    // They went by themselves.
    if (code === "ECONNRESET" || code === "EPIPE") return;
    note(CODES[code ?? ""] ?? "malformed");
  });
}

const CODES: Readonly<Record<string, ConnectionRefusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "too-slow",
  HPE_HEADER_OVERFLOW: "too-long-header",
};

/** Counts as `http.<reason>`, and logs the first of each reason. */
export function countRefusals(counters: Counters, logger: Logger): (reason: ConnectionRefusal) => void {
  const logged = new Set<ConnectionRefusal>();
  return (reason) => {
    counters.add(`http.${reason}`);
    if (logged.has(reason)) return;
    logged.add(reason);
    logger.warn({ reason }, "an http connection was refused; further ones are only counted");
  };
}
