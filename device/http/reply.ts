// How the device says no over HTTP.

import type { FastifyReply } from "fastify";

/** Answers with a stable word for programs and a sentence for people. */
export function refuse(reply: FastifyReply, code: number, error: string, message: string): FastifyReply {
  return reply.code(code).type("application/json; charset=utf-8").send(JSON.stringify({ error, message }));
}

/** When to come back, in whole seconds (RFC 9110, section 10.2.3). */
export function retryAfter(reply: FastifyReply, waitMs: number): void {
  reply.header("retry-after", String(Math.max(1, Math.ceil(waitMs / 1000))));
}
