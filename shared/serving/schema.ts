// What goes over the wire, field by field: from these schemas come the types, the checks and the OpenAPI document.
// Open Inference Protocol V2, HTTP/REST, and Triton's binary tensor data extension; `/predict` is ours.

import { z } from "zod";

/** Rows of one request. */
export const ROWS_MAX = 1_024;

const count = z.int().min(0);
const name = z.string().max(256);
const parameters = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()], "expected a string, a number or a boolean"),
  )
  .describe("name/value pairs");
const shape = z.array(z.int()).max(8).describe("elements along each dimension, row-major");
const datatype = z.string().max(16).describe("BOOL, UINT8 to UINT64, INT8 to INT64, FP16, FP32 or FP64");
// Elements are looked at one by one when they are read: here they only have to be a list.
const data = z
  .array(z.unknown())
  .describe("elements in row-major order, flat or nested; absent where binary");

export const inferRequestSchema = z
  .looseObject({
    id: name.optional().describe("returned with the answer"),
    parameters: parameters
      .optional()
      .describe("binary_data_output: true asks for every output as binary data"),
    inputs: z
      .array(
        z.looseObject({
          name,
          shape,
          datatype,
          parameters: parameters.optional().describe("binary_data_size: bytes of it after the JSON"),
          data: data.optional(),
        }),
      )
      .max(16),
    outputs: z
      .array(
        z.looseObject({
          name,
          parameters: parameters.optional().describe("binary_data: true asks for this output as binary data"),
        }),
      )
      .max(16)
      .optional()
      .describe("the outputs wanted; all of them if absent"),
  })
  .meta({ title: "inference_request" });

export const inferResponseSchema = z
  .object({
    model_name: name,
    model_version: z.string(),
    id: name.optional().describe("of the request, if it had one"),
    outputs: z.array(
      z.object({ name, shape, datatype, parameters: parameters.optional(), data: data.optional() }),
    ),
  })
  .meta({ title: "inference_response" });

const tensor = z
  .object({ name, datatype, shape: shape.describe("-1: as many as there are rows") })
  .meta({ title: "metadata_tensor" });

export const serverMetadataSchema = z
  .object({ name, version: z.string(), extensions: z.array(z.string()) })
  .meta({ title: "metadata_server_response" });

export const modelMetadataSchema = z
  .object({
    name,
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(tensor),
    outputs: z.array(tensor),
    properties: z
      .record(z.string(), z.string())
      .describe("columns: names of the columns of `features`, a JSON list; version: served by default"),
  })
  .meta({ title: "metadata_model_response" });

export const liveSchema = z.object({ live: z.boolean() });
export const readySchema = z.object({ ready: z.boolean(), live: z.boolean(), reason: z.string().optional() });
export const modelReadySchema = z.object({ name, ready: z.boolean(), reason: z.string().optional() });
export const errorSchema = z.object({ error: z.string() }).meta({ title: "inference_error_response" });

const features = z
  .record(z.string(), z.number())
  .describe("column: value, unscaled, every column of the task");
const common = {
  version: count.optional().describe("of the model; what is served if absent"),
};

/** Raw features, or the newest row of an entity. */
export const predictRequestSchema = z
  .union([
    z.strictObject({
      ...common,
      features: z.union([features, z.array(features).min(1).max(ROWS_MAX)]),
      id: name.optional().describe("returned with the answer"),
    }),
    z.strictObject({ ...common, entity: z.string().min(1).max(256).describe("the thing measured") }),
  ])
  .meta({ title: "predict_request" });

const predictionSchema = z
  .object({
    id: name.optional().describe("of an entity's row: the id that a label may name; else the request's"),
    entity: z.string().optional(),
    timeMs: z.int().optional().describe("event time of the entity's row"),
    ageMs: z.number().optional().describe("how long ago that was"),
    value: z.number().describe("in the label's unit; for classes the most likely one, for binary 0 or 1"),
    probability: z.number().nullable().describe("of that class, for binary of 1; null where there is none"),
    probabilities: z.array(z.number()).optional().describe("of every class"),
    anomaly: z.int().min(0).max(1).optional().describe("1: the reconstruction error is beyond the threshold"),
  })
  .meta({ title: "prediction" });

const made = { task: name, version: count };

export const predictResponseSchema = z
  .union([
    predictionSchema.extend(made),
    z.object({ ...made, id: name.optional(), predictions: z.array(predictionSchema) }),
  ])
  .meta({ title: "predict_response" });

export type InferRequest = z.infer<typeof inferRequestSchema>;
export type InferResponse = z.infer<typeof inferResponseSchema>;
export type ModelMetadata = z.infer<typeof modelMetadataSchema>;
export type PredictRequest = z.infer<typeof predictRequestSchema>;
export type PredictedRow = z.infer<typeof predictionSchema>;
export type PredictResponse = z.infer<typeof predictResponseSchema>;
