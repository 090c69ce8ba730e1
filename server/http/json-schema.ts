// A zod schema as fastify checks it and the OpenAPI document shows it.

import { z } from "zod";

/** Of what is asked (`input`: defaults may be left out), or of what is answered. */
export function jsonSchema(schema: z.ZodType, io: "input" | "output") {
  return z.toJSONSchema(schema, { target: "openapi-3.0", io });
}
