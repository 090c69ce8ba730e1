// What the device has predicted, by entity and time: answered from its disk, at the price of a look-up.

import { z } from "zod";
import { instant } from "../../shared/task/schema/instant.js";
import type { PredictionPlace } from "../infer/predictions.js";
import type { HttpPart } from "./port.js";
import { refuse } from "./reply.js";

const LIMIT_MAX = 1_000;
const LIMIT = 100;

const limitRule = { error: `expected a whole number from 1 to ${LIMIT_MAX}` };
const afterRule = { error: "expected the `next` of the page before" };

const querySchema = z.strictObject({
  entity: z.string().max(1024).optional(),
  from: instant.optional(),
  to: instant.optional(),
  limit: z.coerce.number(limitRule).int(limitRule).min(1, limitRule).max(LIMIT_MAX, limitRule).default(LIMIT),
  after: z
    .string(afterRule)
    .regex(/^-?\d{1,16}_\d{1,16}$/, afterRule)
    .transform(parsePlace)
    .optional(),
});

/**
 * GET /predictions?entity=&from=&to=&limit=&after=: `{predictions, next}`, the newest event time first. `from` is part of
 * the range, `to` is not; `next` is the `after` of the next page, absent on the last.
 */
export const predictionsPart: HttpPart = (app, { agent, counters }) => {
  app.get("/predictions", async ({ query }, reply) => {
    const parsed = querySchema.safeParse(query);
    if (!parsed.success) {
      counters.add("http.bad-request");
      return refuse(reply, 400, "bad-request", explain(parsed.error, query));
    }
    const { entity, from: fromMs, to: toMs, limit, after } = parsed.data;
    const { predictions, next } = agent.predictions({ entity, fromMs, toMs, limit, after });
    return { predictions, ...(next === undefined ? {} : { next: formatPlace(next) }) };
  });
};

function parsePlace(text: string): PredictionPlace {
  const [timeMs, row] = text.split("_").map(Number) as [number, number];
  return { timeMs, row };
}

function formatPlace({ timeMs, row }: PredictionPlace): string {
  return `${timeMs}_${row}`;
}

/** Each bad parameter once, with what was sent. */
function explain({ issues }: z.ZodError, query: unknown): string {
  const sent = new Map(Object.entries(query ?? {}));
  const complaints = issues.map(({ path: [name], message }) =>
    name === undefined
      ? `query: ${message}`
      : `${String(name)}: ${message}, got ${JSON.stringify(sent.get(String(name)))}`,
  );
  return [...new Set(complaints)].join("; ");
}
