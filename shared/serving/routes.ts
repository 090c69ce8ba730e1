// The routes of serving, one line each: from this table come the server's paths and the OpenAPI document.

import type { z } from "zod";
import type { ServingApi, ServingReply, ServingRequest } from "./api.js";
import {
  errorSchema,
  inferRequestSchema,
  inferResponseSchema,
  liveSchema,
  modelMetadataSchema,
  modelReadySchema,
  predictRequestSchema,
  predictResponseSchema,
  readySchema,
  serverMetadataSchema,
} from "./schema.js";

/** One route. `{model}` and `{version}` stand in its path. */
export interface ServingRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly takesBinary?: boolean;
  readonly replies: Readonly<Record<number, z.ZodType>>;
  readonly answer: (api: ServingApi, request: ServingRequest) => Promise<ServingReply>;
}

const refused = { 400: errorSchema, 404: errorSchema };
const unusable = { 413: errorSchema, 415: errorSchema, 422: errorSchema };
const busy = { 429: errorSchema, 503: errorSchema };

const inferRoute = {
  method: "POST",
  summary: "Inference",
  body: inferRequestSchema,
  takesBinary: true,
  replies: { 200: inferResponseSchema, ...refused, ...unusable, ...busy },
  answer: (api, request) => api.infer(request),
} satisfies Omit<ServingRoute, "path">;

const modelRoute = {
  method: "GET",
  summary: "Model Metadata",
  replies: { 200: modelMetadataSchema, 404: errorSchema, 503: errorSchema },
  answer: (api, request) => api.model(request),
} satisfies Omit<ServingRoute, "path">;

const modelReadyRoute = {
  method: "GET",
  summary: "Model Ready",
  replies: { 200: modelReadySchema, 400: modelReadySchema },
  answer: (api, request) => api.modelReady(request),
} satisfies Omit<ServingRoute, "path">;

const metadataRoute = {
  method: "GET",
  summary: "Server Metadata",
  replies: { 200: serverMetadataSchema },
  answer: (api) => api.metadata(),
} satisfies Omit<ServingRoute, "path">;

export const servingRoutes: readonly ServingRoute[] = [
  { path: "/v2", ...metadataRoute },
  { path: "/v2/", ...metadataRoute },
  {
    ...{ method: "GET", path: "/v2/health/live", summary: "Server Live", replies: { 200: liveSchema } },
    answer: (api) => api.live(),
  },
  {
    ...{ method: "GET", path: "/v2/health/ready", summary: "Server Ready" },
    replies: { 200: readySchema, 400: readySchema },
    answer: (api) => api.ready(),
  },
  { path: "/v2/models/{model}", ...modelRoute },
  { path: "/v2/models/{model}/versions/{version}", ...modelRoute },
  { path: "/v2/models/{model}/ready", ...modelReadyRoute },
  { path: "/v2/models/{model}/versions/{version}/ready", ...modelReadyRoute },
  { path: "/v2/models/{model}/infer", ...inferRoute },
  { path: "/v2/models/{model}/versions/{version}/infer", ...inferRoute },
  {
    ...{ method: "POST", path: "/predict", summary: "Predict raw features, or the newest row of an entity" },
    body: predictRequestSchema,
    replies: { 200: predictResponseSchema, ...refused, ...unusable, ...busy },
    answer: (api, request) => api.predict(request),
  },
];
