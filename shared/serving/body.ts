// A body of JSON that raw tensors may follow: Triton's binary tensor data extension. The header
// Inference-Header-Content-Length says where the JSON ends; the tensors come in the order in which the JSON names them.

import { messageOf } from "../error.js";
import { answered, malformed, type Outcome } from "./problem.js";
import { type InferRequest, inferRequestSchema } from "./schema.js";
import type { SentTensor } from "./tensor.js";

/** As the extension spells it, in lower case. */
export const JSON_LENGTH_HEADER = "inference-header-content-length";

/** A request, with the bytes of its inputs where they are binary. */
export interface ReadRequest {
  readonly request: InferRequest;
  readonly inputs: readonly SentTensor[];
}

/** Reads the body of an infer request. `jsonLength` is the header's text, undefined when all of it is JSON. */
export function readInferBody(body: Uint8Array, jsonLength: string | undefined): Outcome<ReadRequest> {
  const jsonBytes = jsonLength === undefined ? body.length : wholeNumber(jsonLength);
  if (jsonBytes === undefined || jsonBytes > body.length) {
    return malformed(`${JSON_LENGTH_HEADER} is "${jsonLength}", the body has ${body.length} bytes`);
  }
  const json = parseJson(body.subarray(0, jsonBytes));
  if (!json.ok) return json;
  const parsed = inferRequestSchema.safeParse(json.value);
  if (!parsed.success) return malformed(describeFirst(parsed.error.issues));
  return takeBinary(parsed.data, body.subarray(jsonBytes));
}

/** JSON in UTF-8, or where it is none: what it has no word for, such as NaN, is what clients get wrong. */
export function parseJson(bytes: Uint8Array): Outcome<unknown> {
  try {
    return answered(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")));
  } catch (error) {
    return malformed(`the request is no JSON: ${messageOf(error)}`);
  }
}

/** The first thing that is wrong with a request, and where. */
export function describeFirst(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const [issue] = issues;
  if (issue === undefined) return "the request is not understood";
  const place = issue.path.map(String).join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}

function takeBinary(request: InferRequest, rest: Uint8Array): Outcome<ReadRequest> {
  const inputs: SentTensor[] = [];
  let at = 0;
  for (const { name, shape, datatype, data, parameters } of request.inputs) {
    const size = parameters?.binary_data_size;
    if (parameters !== undefined && "shared_memory_region" in parameters) {
      return malformed(`tensor "${name}": the shared_memory_region extension is not offered`);
    }
    if (size === undefined) {
      inputs.push({ name, shape, datatype, data, raw: undefined });
      continue;
    }
    if (data !== undefined) return malformed(`tensor "${name}" has both data and binary_data_size`);
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || size > rest.length - at) {
      return malformed(
        `tensor "${name}" has binary_data_size ${size}, ${rest.length - at} bytes are left after the JSON`,
      );
    }
    inputs.push({ name, shape, datatype, data: undefined, raw: rest.subarray(at, at + size) });
    at += size;
  }
  if (at < rest.length) return malformed(`${rest.length - at} bytes after the JSON belong to no tensor`);
  return answered({ request, inputs });
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
