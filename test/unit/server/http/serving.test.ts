// Serving by a real server, which made its versions in a federation, asked without a socket.

import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../../../server/http/http.js";
import { ServerModels } from "../../../../server/model/serving.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import { defineModel } from "../../../../shared/model/define.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { scaleInto, unscaleLabel } from "../../../../shared/pipeline/scaler.js";
import { ServerLab } from "../../../support/server-lab.js";

const token = "0123456789abcdef";
const authorization = `Bearer ${token}`;
const rounds = "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 2 }\nevaluate: { every: 1 }";

let runtime: ModelRuntime;
let lab: ServerLab;
let models: ServerModels;
let app: Awaited<ReturnType<typeof createApp>>;

beforeAll(async () => {
  runtime = await createRuntime("auto");
  lab = new ServerLab({ runtime, yaml: rounds });
  const server = await lab.start();
  const { task } = lab.task;
  models = new ServerModels({ task, server, version: "1.2.3" });
  app = await createApp({
    sources: {
      ...{ task, source: lab.task, version: "1.2.3", server, clock: lab.clock, startedMs: 7 },
      enrolled: { list: () => [] },
      brokerCounters: new Counters(),
      broker: () => ({ kind: "external", urls: [], isConnected: true }),
      notReady: () => undefined,
    },
    logger: silentLogger,
    serving: { models, counters: server.counters, token },
  });
});

afterAll(async () => {
  await app.close();
  await models.close();
  runtime.dispose();
});

test("before there is a stable version, nothing is ready and nothing is predicted", async () => {
  const ready = await app.inject({ url: "/v2/health/ready" });
  expect([ready.statusCode, ready.json().reason]).toEqual([400, "lab has no stable version yet"]);
  const payload = { features: { a: 1, b: 2 } };
  const predicted = await app.inject({
    method: "POST",
    url: "/predict",
    payload,
    headers: { authorization },
  });
  expect([predicted.statusCode, predicted.headers["retry-after"]]).toEqual([503, "5"]);
});

test("who has no token gets health and no predictions", async () => {
  expect((await app.inject({ url: "/v2/health/live" })).statusCode).toBe(200);
  const { statusCode, headers } = await app.inject({ method: "POST", url: "/predict", payload: {} });
  expect([statusCode, headers["www-authenticate"]]).toEqual([401, "Bearer"]);
});

test("the stable version predicts what its params say, and every kept version can be asked", async () => {
  const [a, b] = [await lab.device("a"), await lab.device("b")];
  await a.hello();
  await b.hello();
  for (const kind of ["train", "evaluate"]) {
    for (const device of [a, b]) expect(await device.contribute()).toMatchObject({ status: "accepted" });
    await lab.settle(() => lab.told("round-closed").some((fact) => fact.kind === kind));
  }
  const stable = lab.server.stable()!;
  const headers = { authorization };
  for (const { manifest } of lab.server.versions()) {
    const { params, scaler } = (await lab.server.model(manifest.version))!;
    const model = await runtime.model(defineModel(lab.task.task.model, 2));
    const x = new Float32Array(2);
    scaleInto(scaler, Float32Array.of(0.25, -1), x, 0);
    model.load(params);
    const value = unscaleLabel(scaler, model.predict(x, 1)[0]!);
    const { version } = manifest;
    const payload = { features: { a: 0.25, b: -1 }, version };
    const predicted = await app.inject({ method: "POST", url: "/predict", payload, headers });
    expect(predicted.json()).toEqual({ task: "lab", version, value, probability: null });
    const inferred = await app.inject({
      ...{ method: "POST", url: `/v2/models/lab/versions/${version}/infer`, headers },
      payload: { inputs: [{ name: "features", shape: [1, 2], datatype: "FP32", data: [0.25, -1] }] },
    });
    expect(inferred.json()).toMatchObject({ model_version: String(version), outputs: [{ data: [value] }] });
  }
  const unversioned = await app.inject({
    method: "POST",
    url: "/predict",
    payload: { features: { a: 1, b: 2 } },
    headers,
  });
  expect(unversioned.json().version).toBe(stable);
  const entity = await app.inject({ method: "POST", url: "/predict", payload: { entity: "a" }, headers });
  expect([entity.statusCode, entity.json().error]).toEqual([400, expect.stringContaining("ask a device")]);
  expect(lab.server.counters.get("inference.refused.malformed")).toBe(1);
});
