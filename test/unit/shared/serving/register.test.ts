// Serving as a client of the protocol sees it: requests in, bytes out.

import { deflateSync, gzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { inferResponseSchema } from "../../../../shared/serving/schema.js";
import { denseModel } from "../../../support/model.js";
import { servedModel, servingApp } from "../../../support/serving.js";

// value = (2 a + 3 b + 1) / 0.5 + 10
const params = Float32Array.of(2, 3, 1);
const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 10, factor: 0.5 } };
const linear = (a: number, b: number) => (2 * a + 3 * b + 1) / 0.5 + 10;

let runtime: ModelRuntime;
let app: FastifyInstance;
let classes: FastifyInstance;

beforeAll(async () => {
  runtime = await createRuntime("fused-js");
  const online = (entity: string) =>
    entity === "pump-1"
      ? { id: "0123", entity, timeMs: Date.now() - 5_000, features: Float32Array.of(1, 2), test: false }
      : undefined;
  const pumps = await servedModel(runtime, denseModel({ hidden: [] }, 2), { params, scaler, online });
  ({ app } = await servingApp(pumps));
  const definition = denseModel({ hidden: [], output: { kind: "classification", classes: 3 } }, 2);
  ({ app: classes } = await servingApp(await servedModel(runtime, definition)));
});

afterAll(async () => {
  await app.close();
  await classes.close();
  runtime.dispose();
});

async function ask(method: "GET" | "POST", url: string, body?: object | Buffer, headers = {}, of = app) {
  const payload = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const reply = await of.inject({ method, url, ...(payload === undefined ? {} : { payload }), headers });
  return { code: reply.statusCode, headers: reply.headers, raw: reply.rawPayload, json: () => reply.json() };
}

const infer = (input: object, more: object = {}) =>
  ask("POST", "/v2/models/pumps/infer", {
    inputs: [{ name: "features", shape: [2, 2], datatype: "FP32", data: [1, 2, 3, 4], ...input }],
    ...more,
  });

describe("what is served", () => {
  test("is described: server, model, one version of it", async () => {
    for (const url of ["/v2", "/v2/"]) {
      expect((await ask("GET", url)).json()).toEqual({
        name: "headwater",
        version: "1.2.3",
        extensions: ["binary_tensor_data"],
      });
    }
    const model = {
      name: "pumps",
      versions: ["3"],
      platform: "headwater_v1",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1, 2] }],
      outputs: [{ name: "value", datatype: "FP64", shape: [-1] }],
      properties: { columns: '["a","b"]', version: "3" },
    };
    expect((await ask("GET", "/v2/models/pumps")).json()).toEqual(model);
    expect((await ask("GET", "/v2/models/pumps/versions/3")).json()).toEqual(model);
  });

  test("lives, and is ready, which a probe learns from the status alone", async () => {
    expect(await ask("GET", "/v2/health/live")).toMatchObject({ code: 200 });
    expect(await ask("GET", "/v2/health/ready")).toMatchObject({ code: 200 });
    expect((await ask("GET", "/v2/models/pumps/ready")).json()).toEqual({ name: "pumps", ready: true });
    const { app: empty } = await servingApp(undefined);
    for (const url of ["/v2/health/ready", "/v2/models/pumps/ready"]) {
      const { code, json } = await ask("GET", url, undefined, {}, empty);
      expect([code, json().ready, json().reason]).toEqual([400, false, "no task yet"]);
    }
    expect(await ask("GET", "/v2/models/pumps", undefined, {}, empty)).toMatchObject({ code: 503 });
    await empty.close();
  });

  test("is not another model or version", async () => {
    for (const [url, error] of [
      ["/v2/models/pump", 'there is no model "pump"; the model here is "pumps"'],
      ["/v2/models/pumps/versions/4", "pumps has no version 4 here; it has 3"],
      ["/v2/models/pumps/versions/v3", 'a version is a number, not "v3"'],
    ] as const) {
      const { code, json } = await ask("GET", url);
      expect([code, json()]).toEqual([404, { error }]);
    }
  });

  test("has none of the protocol's other extensions, and says so in the protocol's words", async () => {
    for (const [method, url] of [
      ["POST", "/v2/repository/index"],
      ["GET", "/v2/models/pumps/config"],
      ["GET", "/v2/models/pumps/stats"],
    ] as const) {
      const { code, json } = await ask(method, url, method === "POST" ? {} : undefined);
      const error = `there is no ${method} ${url}; /v2/openapi.json has what there is`;
      expect([code, json()]).toEqual([404, { error }]);
    }
  });

  test("has an OpenAPI document with every route", async () => {
    const { openapi, paths } = (await ask("GET", "/v2/openapi.json")).json();
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths)).toHaveLength(10);
    expect(paths["/v2/models/{model}/infer"].post.requestBody.content).toHaveProperty(
      "application/json.schema.properties.inputs".split("."),
    );
  });
});

describe("infer", () => {
  test("answers the protocol's form of request, flat or nested, and returns its id", async () => {
    const expected = {
      model_name: "pumps",
      model_version: "3",
      id: "42",
      outputs: [{ name: "value", shape: [2], datatype: "FP64", data: [linear(1, 2), linear(3, 4)] }],
    };
    for (const data of [
      [1, 2, 3, 4],
      [
        [1, 2],
        [3, 4],
      ],
    ]) {
      const { code, json } = await infer({ data }, { id: "42", outputs: [{ name: "value" }] });
      expect([code, json()]).toEqual([200, expected]);
      expect(inferResponseSchema.safeParse(json()).success).toBe(true);
    }
    expect((await infer({})).json()).not.toHaveProperty("id");
    const versioned = await ask("POST", "/v2/models/pumps/versions/3/infer", {
      inputs: [{ name: "features", shape: [1, 2], datatype: "INT32", data: [1, 2] }],
    });
    expect(versioned.json().outputs[0].data).toEqual([linear(1, 2)]);
  });

  // As tritonclient.http writes it: compact JSON, the tensor behind it, no content type, all outputs binary.
  test("answers a stock client's bytes in kind", async () => {
    const head = Buffer.from(
      '{"id":"7","inputs":[{"name":"features","shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}}],"parameters":{"binary_data_output":true}}',
    );
    const tensor = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
    const body = Buffer.concat([head, tensor]);
    const reply = await ask("POST", "/v2/models/pumps/infer", body, {
      "Inference-Header-Content-Length": String(head.length),
    });
    const jsonLength = Number(reply.headers["inference-header-content-length"]);
    expect([reply.code, reply.headers["content-type"]]).toEqual([200, "application/octet-stream"]);
    expect(JSON.parse(reply.raw.subarray(0, jsonLength).toString())).toEqual({
      model_name: "pumps",
      model_version: "3",
      id: "7",
      outputs: [{ name: "value", shape: [2], datatype: "FP64", parameters: { binary_data_size: 16 } }],
    });
    const view = new DataView(reply.raw.buffer, reply.raw.byteOffset + jsonLength, 16);
    expect([view.getFloat64(0, true), view.getFloat64(8, true)]).toEqual([linear(1, 2), linear(3, 4)]);
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
  ])("takes %s; the length of the JSON is that of what is inside", async (encoding, compress) => {
    const head = Buffer.from(
      '{"inputs":[{"name":"features","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}',
    );
    const body = compress(Buffer.concat([head, Buffer.from(Float32Array.of(1, 2).buffer)]));
    const { code, json } = await ask("POST", "/v2/models/pumps/infer", body, {
      "content-encoding": encoding,
      "inference-header-content-length": String(head.length),
    });
    expect([code, json().outputs[0].data]).toEqual([200, [linear(1, 2)]]);
  });

  test("takes parameters that it does not know, of the request and of tensors", async () => {
    const parameters = {
      sequence_id: 7,
      sequence_start: true,
      priority: 2,
      timeout: 1000,
      mine: "x",
      r: 0.5,
    };
    expect(await infer({ parameters: { mine: 1 } }, { parameters })).toMatchObject({ code: 200 });
    const { code, json } = await infer({}, { parameters: { mine: [1] } });
    expect([code, json().error]).toEqual([400, "parameters.mine: expected a string, a number or a boolean"]);
  });

  test("gives an output as it was asked for, binary or not, in one answer", async () => {
    const inputs = [{ name: "features", shape: [1, 2], datatype: "FP64", data: [0.5, -1] }];
    const outputs = [
      { name: "probability", parameters: { binary_data: false } },
      { name: "value", parameters: { binary_data: true } },
    ];
    const reply = await ask("POST", "/v2/models/pumps/infer", { inputs, outputs }, {}, classes);
    const jsonLength = Number(reply.headers["inference-header-content-length"]);
    const [probability, value] = JSON.parse(reply.raw.subarray(0, jsonLength).toString()).outputs;
    expect(probability.data).toHaveLength(1);
    expect(value).toEqual({
      name: "value",
      shape: [1],
      datatype: "FP64",
      parameters: { binary_data_size: 8 },
    });
    expect(reply.raw.length).toBe(jsonLength + 8);
  });

  test("gives classes, probabilities, and only the outputs asked for", async () => {
    const inputs = [{ name: "features", shape: [1, 2], datatype: "FP32", data: [0.5, -1] }];
    const { json } = await ask("POST", "/v2/models/pumps/infer", { inputs }, {}, classes);
    const [value, index, probability, probabilities] = json().outputs;
    expect(probabilities.shape).toEqual([1, 3]);
    expect(probabilities.data.reduce((sum: number, share: number) => sum + share)).toBeCloseTo(1, 5);
    expect(index.data).toEqual(value.data);
    expect(probability.data[0]).toBe(Math.max(...probabilities.data));
    const outputs = [{ name: "probability", parameters: { binary_data: false } }];
    const some = await ask("POST", "/v2/models/pumps/infer", { inputs, outputs }, {}, classes);
    expect(some.json().outputs).toEqual([probability]);
  });

  test.each([
    [{ datatype: "BYTES" }, 'tensor "features" is BYTES, which is text'],
    [{ datatype: "BF17" }, 'tensor "features" has the unknown datatype "BF17"'],
    [{ datatype: "INT64", data: [1, 2, 3, 2 ** 53] }, `element 3 is ${2 ** 53}, outside`],
    [{ datatype: "UINT8", data: [1, 2, 3, 256] }, "element 3 is 256, outside 0 to 255 (UINT8)"],
    [{ datatype: "INT32", data: [1, 2, 3, 0.5] }, "element 3 is 0.5, which is no whole number"],
    [{ data: [1, 2, 3, 1e39] }, "element 3 is 1e+39, too large for FP32"],
    [{ data: [1, 2, 3, null] }, "element 3 of type null, expected a number"],
    [{ data: [1, 2, 3, "NaN"] }, "element 3 of type string, expected a number"],
    [{ data: [1, 2, 3] }, "has 3 elements, its shape needs 4"],
    [{ data: [1, 2, 3, 4, 5] }, "more elements than the 4 of its shape"],
    [{ data: undefined }, "has neither data nor binary_data_size"],
    [{ shape: [4] }, "has shape [4], expected [rows, 2]"],
    [{ shape: [1025, 2] }, "has 1025 rows, the limit is 1024"],
    [{ name: "x" }, 'takes one input, "features", and got "x"'],
    [{ parameters: { binary_data_size: 4 }, data: undefined }, "binary_data_size 4, 0 bytes are left"],
  ])("refuses %j", async (input, message) => {
    const { code, json } = await infer(input);
    expect([code, Object.keys(json())]).toEqual([400, ["error"]]);
    expect(json().error).toContain(message);
  });

  test("refuses outputs and extensions that are not there", async () => {
    const unknown = await infer({}, { outputs: [{ name: "output0" }] });
    expect(unknown.json()).toEqual({ error: 'pumps has no output "output0"; it has value' });
    const extension = await infer({}, { outputs: [{ name: "value", parameters: { classification: 2 } }] });
    expect(extension.json().error).toContain("the classification extension is not offered");
    const parameters = { shared_memory_region: "r", shared_memory_byte_size: 16 };
    const shared = await infer({ data: undefined, parameters });
    expect(shared.json().error).toContain("the shared_memory_region extension is not offered");
  });

  test("refuses bodies that are no JSON, too long, or not as long as they say", async () => {
    const url = "/v2/models/pumps/infer";
    const nan = await ask("POST", url, Buffer.from('{"inputs":[{"data":[NaN]}]}'));
    expect(nan.json().error).toMatch(/^the request is no JSON: Unexpected token 'N'/);
    expect(await ask("POST", url, Buffer.alloc(1024 * 1024 + 1))).toMatchObject({ code: 413 });
    const short = await ask("POST", url, Buffer.from("{}"), { "inference-header-content-length": "3" });
    expect(short.json().error).toContain('is "3", the body has 2 bytes');
    const rest = await ask("POST", url, Buffer.from('{"inputs":[]}abc'), {
      "inference-header-content-length": "13",
    });
    expect(rest.json()).toEqual({ error: "3 bytes after the JSON belong to no tensor" });
  });

  test("refuses NaN in binary tensors, and features that cannot be scaled", async () => {
    const head = Buffer.from(
      '{"inputs":[{"name":"features","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}',
    );
    const body = Buffer.concat([head, Buffer.from(Float32Array.of(1, Number.NaN).buffer)]);
    const headers = { "inference-header-content-length": String(head.length) };
    const { code, json } = await ask("POST", "/v2/models/pumps/infer", body, headers);
    expect([code, json().error]).toEqual([
      400,
      'tensor "features" element 1 is NaN: only finite numbers are taken',
    ]);
    const huge = { ...scaler, factor: [1e10, 1] };
    const { app: scaled, counters } = await servingApp(
      await servedModel(runtime, denseModel({ hidden: [] }, 2), { params, scaler: huge }),
    );
    const far = await ask("POST", "/predict", { features: { a: 1e38, b: 0 } }, {}, scaled);
    expect([far.code, counters.get("inference.refused.out-of-scale")]).toEqual([422, 1]);
    await scaled.close();
  });
});

describe("predict", () => {
  test("takes features by name, one row or several", async () => {
    const one = await ask("POST", "/predict", { features: { b: 2, a: 1 }, id: "mine" });
    expect(one.json()).toEqual({
      ...{ task: "pumps", version: 3, id: "mine", value: linear(1, 2), probability: null },
    });
    const two = await ask("POST", "/predict", {
      features: [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
    });
    expect(two.json().predictions.map(({ value }: { value: number }) => value)).toEqual([
      linear(1, 2),
      linear(3, 4),
    ]);
  });

  test("takes an entity, whose newest row it predicts under the id that a label may name", async () => {
    const { json } = await ask("POST", "/predict", { entity: "pump-1" });
    expect(json()).toMatchObject({ id: "0123", entity: "pump-1", value: linear(1, 2), version: 3 });
    expect(json().ageMs).toBeGreaterThanOrEqual(5_000);
    const { code, json: unknown } = await ask("POST", "/predict", { entity: "pump-2" });
    expect([code, unknown().error]).toEqual([404, expect.stringContaining('no row of entity "pump-2"')]);
  });

  test.each([
    [{ features: { a: 1 } }, 'column "b" is missing'],
    [{ features: [{ a: 1, b: 1 }, { a: 1 }] }, 'features.1: column "b" is missing'],
    [{ features: { a: 1, column: 2, b: 1 } }, 'there is no column "column"'],
    [{ features: { speed: 1 } }, 'there is no column "speed"; the columns are a, b'],
    [{ features: { a: 1, b: null } }, "features.b: Invalid input: expected number"],
    [
      {
        features: [
          { a: 1, b: 1 },
          { a: 1, b: "8" },
        ],
      },
      "features.1.b: Invalid input: expected number",
    ],
    [{ a: 1, b: 2 }, 'expected {"features"'],
  ])("refuses %j", async (body, message) => {
    const { code, json } = await ask("POST", "/predict", body);
    expect([code, json().error]).toEqual([400, expect.stringContaining(message)]);
  });
});
