// A device's HTTP address under bytes that no honest client sends: raw sockets, a real listener, a served model.

import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Agent } from "../../device/agent.js";
import { openHttp } from "../../device/http/http.js";
import type { Listener } from "../../device/http/listener.js";
import type { HttpPart } from "../../device/http/port.js";
import { DeviceMeter } from "../../device/metrics/meter.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import type { Logger } from "../../shared/log.js";
import { silentLogger } from "../../shared/log.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { randomStream } from "../../shared/random.js";
import { registerInference } from "../../shared/serving/register.js";
import { deviceId } from "../support/device-kit.js";
import { denseModel } from "../support/model.js";
import { servedModel } from "../support/serving.js";
import { until } from "../support/until.js";

const counters = new Counters();
const warnings: unknown[] = [];
const logger: Logger = { ...silentLogger, warn: (fields, message) => warnings.push({ ...fields, message }) };
const MIB = 1024 * 1024;

let runtime: ModelRuntime;
let listener: Listener;
let port = 0;

beforeAll(async () => {
  runtime = await createRuntime("fused-js");
  const served = await servedModel(runtime, denseModel({ hidden: [] }, 2));
  const models = { version: "1.2.3", notReady: () => undefined, model: async () => served };
  const part: HttpPart = (app) =>
    registerInference(app, { models, counters, clock: systemClock, logger: silentLogger });
  listener = await openHttp({
    config: { host: "127.0.0.1", port: 0, token: undefined },
    ...{
      device: deviceId("pump-1"),
      agent: {} as Agent,
      parts: [part],
      random: randomStream("hostile", "http"),
    },
    ...{ clock: systemClock, logger, counters, meter: new DeviceMeter(systemClock) },
    ...{ isTelemetryConnected: () => false, version: "1.2.3", startedMs: 0 },
  });
  port = listener.address?.port ?? 0;
});

afterAll(async () => {
  await listener.close();
  runtime.dispose();
});

/** Sends bytes, and reads until the other side ends the connection. */
async function say(bytes: Uint8Array | string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const heard: Buffer[] = [];
  socket.on("data", (chunk) => heard.push(chunk));
  // What was heard before is what counts.
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(heard).toString("latin1");
}

const INFER = "POST /v2/models/pumps/infer HTTP/1.1\r\nHost: device\r\nConnection: close\r\n";

function post(body: Uint8Array | string, headers = ""): Promise<string> {
  const bytes = Buffer.from(body);
  const head = `${INFER}${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return say(Buffer.concat([Buffer.from(head), bytes]));
}

const isWell = async () => (await fetch(`http://127.0.0.1:${port}/v2/health/live`)).status === 200;

describe("what is no HTTP", () => {
  test.each([
    ["another protocol", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "malformed"],
    ["a method nobody knows", "STEAL / HTTP/1.1\r\nHost: device\r\n\r\n", 400, "malformed"],
    ["a negative length", `${INFER}Content-Length: -5\r\n\r\nabc`, 400, "malformed"],
    ["a length that is no number", `${INFER}Content-Length: many\r\n\r\nabc`, 400, "malformed"],
    ["two lengths", `${INFER}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400, "malformed"],
    [
      "a length and chunks, which would smuggle a request",
      `${INFER}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2 HTTP/1.1\r\n\r\n`,
      400,
      "malformed",
    ],
    ["chunks of no size", `${INFER}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, 400, "malformed"],
    [
      "a header without end",
      `GET /v2 HTTP/1.1\r\nHost: device\r\nA: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
      "too-long-header",
    ],
    ["an address without end", `GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, "too-long-header"],
  ])("%s is refused, counted, and logged once", async (_, bytes, code, reason) => {
    const before = counters.get(`http.${reason}`);
    expect(await say(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    expect(counters.get(`http.${reason}`)).toBe(before + 1);
    expect(warnings.filter((line) => JSON.stringify(line).includes(`"${reason}"`))).toHaveLength(1);
  });
});

describe("a body that is too large", () => {
  const tooLarge = /^HTTP\/1.1 413 [\s\S]*"error":"the body is larger than 1048576 bytes"/;

  test("is answered with the reason, though its sender reads only when all is sent", async () => {
    expect(await post(new Uint8Array(5 * MIB))).toMatch(tooLarge);
  });

  test("in chunks without a length too", async () => {
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const body = `${INFER}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(40)}0\r\n\r\n`;
    expect(await say(body)).toMatch(tooLarge);
  });

  test("is not listened to for ever", async () => {
    // The end of the connection meets what is still being sent, so what is heard may be nothing.
    await post(new Uint8Array(64 * MIB));
    expect(await isWell()).toBe(true);
  });
});

describe("an infer request", () => {
  const input = { name: "features", shape: [1, 2], datatype: "FP32", data: [1, 2] };
  const nested = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
  test.each([
    ["data nested very deeply", JSON.stringify({ inputs: [input] }).replace("[1,2]}", `${nested}}`)],
    ["a number beyond all numbers", JSON.stringify({ inputs: [input] }).replace("[1,2]}", "[1e400,1]}")],
    ["a shape that is negative", JSON.stringify({ inputs: [{ ...input, shape: [-1, 2] }] })],
    [
      "a shape whose product is beyond all numbers",
      JSON.stringify({ inputs: [{ ...input, shape: [Number.MAX_SAFE_INTEGER, 2] }] }),
    ],
    ["ten thousand inputs", JSON.stringify({ inputs: Array(10_000).fill(input) })],
    ["an input twice", JSON.stringify({ inputs: [input, input] })],
    ["a name with a NUL in it", JSON.stringify({ inputs: [{ ...input, name: "features\0" }] })],
    ["a prototype", '{"__proto__":{"inputs":[]},"inputs":{"__proto__":[]}}'],
  ])("with %s is refused in words", async (_, body) => {
    expect(await post(body)).toMatch(/^HTTP\/1.1 400 [\s\S]*\{"error":".+"\}$/);
  });

  test("of any bytes, under any length of its JSON, is answered and never a fault of ours", async () => {
    const head = Buffer.from(
      '{"inputs":[{"name":"features","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}',
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 16 }).map((tail) => Buffer.concat([head, tail])),
    );
    const length = fc.oneof(
      fc.integer({ min: -2, max: 300 }).map(String),
      fc.constantFrom("1e2", "0x10", "abc"),
    );
    await fc.assert(
      fc.asyncProperty(body, length, async (bytes, jsonLength) => {
        const said = await post(bytes, `Inference-Header-Content-Length: ${jsonLength}\r\n`);
        expect(said).toMatch(/^HTTP\/1.1 (200|400|413) /);
      }),
      { numRuns: 200 },
    );
    expect(counters.get("inference.refused.internal")).toBe(0);
  });

  test("for a model with a path for a name finds no model", async () => {
    const found = await say(
      INFER.replace("pumps", "..%2f..%2fetc%2fpasswd").concat("Content-Length: 2\r\n\r\n{}"),
    );
    expect(found).toMatch(/^HTTP\/1.1 40[04] [\s\S]*\{"error":"/);
  });
});

test("of five hundred connections most are ended, counted, and the others are answered afterwards", async () => {
  const sockets = Array.from({ length: 500 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await until(() => counters.get("http.too-many-connections") >= 300);
  for (const socket of sockets) socket.destroy();
  await until(() => isWell().catch(() => false));
  expect(warnings).toContainEqual(expect.objectContaining({ reason: "too-many-connections" }));
});
