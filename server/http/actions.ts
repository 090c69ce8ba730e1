// What an operator may change over HTTP, and who counts as one. Everything else is only looked at.

import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { createTokenGuard } from "../../shared/token-guard.js";
import type { ActionResult } from "../server.js";
import type { ActionsView } from "./schema.js";

/** The operations themselves. A refusal is a value; a rejection is a mistake of ours. */
export interface ServerOperations {
  /** Lets devices serve this version from now on. */
  promote(version: number): Promise<ActionResult>;
  /** Ends a trial, or takes devices back to the version they served before. */
  rollBack(): Promise<ActionResult>;
  /** Gives a version a name, which may have been another's. Named versions are kept. */
  nameVersion(name: string, version: number): Promise<ActionResult>;
  /** Takes a name away. */
  dropName(name: string): Promise<ActionResult>;
}

/** The operations with the rule of who may ask for them. */
export interface ServerActions {
  readonly operations: ServerOperations | undefined;
  /** Bearer token that a request must bring (RFC 6750, section 2.1). */
  readonly token: string | undefined;
  /** Only programs on this machine can ask. */
  readonly isLoopback: boolean;
}

/** A refusal before anything is done. */
export interface Refusal {
  readonly code: 401 | 403 | 415 | 503;
  readonly error: string;
  readonly message: string;
}

/** Shorter tokens are guessed. */
export const TOKEN_CHARACTERS_MIN = 16;

/** What the API says about its actions. */
export function actionsOf(actions: ServerActions | undefined): ActionsView {
  const reason = unavailable(actions);
  const needsToken = actions?.token !== undefined;
  return { isAvailable: reason === undefined, needsToken, ...(reason === undefined ? {} : { reason }) };
}

function unavailable(actions: ServerActions | undefined): string | undefined {
  if (actions?.operations === undefined) return "this server cannot change versions by hand";
  if (actions.token === undefined && !actions.isLoopback) {
    return "this page is open to other machines: start the server with --http-token to act from here";
  }
  return undefined;
}

/**
 * Why a request may not change anything, undefined when it may. A page of another origin cannot send JSON without asking
 * first (Fetch, section 3.2.2), and is answered no; a name that was made to point here (DNS rebinding) is not this machine's.
 */
export function refuseAction(
  actions: ServerActions | undefined,
  headers: IncomingHttpHeaders,
): Refusal | undefined {
  const reason = unavailable(actions);
  if (reason !== undefined) return { code: 503, error: "unavailable", message: reason };
  if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) {
    return { code: 415, error: "not-json", message: "send application/json" };
  }
  if (!isSameOrigin(headers)) {
    return {
      code: 403,
      error: "foreign-origin",
      message: `${headers.origin ?? "another site"} may not act here`,
    };
  }
  const token = actions?.token;
  if (token !== undefined) return createTokenGuard(token)(headers.authorization) ? undefined : UNAUTHORIZED;
  if (isOwnHost(headers.host ?? "")) return undefined;
  return { code: 403, error: "foreign-host", message: `${headers.host} is not a name of this machine` };
}

const UNAUTHORIZED: Refusal = {
  code: 401,
  error: "unauthorized",
  message: "send the server's token: Authorization: Bearer ...",
};

function isSameOrigin({ origin, host, "sec-fetch-site": site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function isOwnHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return name === "localhost" || isIP(name) !== 0;
}
