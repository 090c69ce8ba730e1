// The OpenAPI document of serving, from the same schemas that requests are checked by.

import { z } from "zod";
import { type ServingRoute, servingRoutes } from "./routes.js";

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function describeRoutes(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of servingRoutes) {
    if (route.path === "/v2/") continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  const description = "Open Inference Protocol V2 over HTTP/REST, with binary tensor data, and /predict.";
  return { openapi: "3.1.0", info: { title: "Headwater serving", description, version }, paths };
}

function describeRoute({ method, path, summary, body, takesBinary, replies }: ServingRoute): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const parameters = names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  const responses = Object.entries(replies).map(([code, schema]) => [
    code,
    { description: DESCRIPTIONS[code] ?? "Error", content: contentOf(schema, code === "200" && takesBinary) },
  ]);
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+/g, "-")}`,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, takesBinary) } }),
    responses: Object.fromEntries(responses),
  };
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: "OK",
  400: "Bad Request, or not ready",
  404: "Not Found",
  413: "Content Too Large",
  415: "Unsupported Media Type: see content-encoding",
  422: "Unprocessable Content",
  429: "Too Many Requests: see Retry-After",
  503: "Service Unavailable: see Retry-After",
};

function contentOf(schema: z.ZodType, isBinary: boolean | undefined): object {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { io: "input", reused: "inline" });
  const json = { "application/json": { schema: plain } };
  return isBinary === true ? { ...json, "application/octet-stream": {} } : json;
}
