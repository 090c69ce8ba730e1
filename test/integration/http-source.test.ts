// Telemetry pushed over HTTP, by real requests to a real socket.

import { once } from "node:events";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import {
  defaultSourceLimits,
  type HttpBinding,
  type SourceLimits,
} from "../../device/ingest/sources/binding.js";
import { type HttpSource, openHttp } from "../../device/ingest/sources/http.js";
import type { SourceContext } from "../../device/ingest/sources/port.js";
import { freePort } from "../support/free-port.js";
import { bound, createSourceLab } from "../support/source-lab.js";
import { createGate } from "../support/transport-ends.js";
import { until } from "../support/until.js";

const opened: HttpSource[] = [];

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

interface Case {
  readonly sources?: Readonly<Record<string, Partial<HttpBinding>>>;
  readonly context?: Partial<SourceContext>;
}

/** Sources of these names at a free port; one called `s` at /in if nothing is said. */
async function listen({ sources = { s: {} }, context = {} }: Case = {}) {
  const lab = createSourceLab(context);
  const all = Object.entries(sources).map(([name, binding]) =>
    bound<HttpBinding>(
      { kind: "http", host: "127.0.0.1", port: 0, path: "/in", token: undefined, ...binding },
      { name },
    ),
  );
  const source = await openHttp(all, lab.context);
  opened.push(source);
  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${source.address?.port}${path}`, { method: "POST", body, headers });
  return Object.assign(lab, { source, post });
}

function limits(some: Partial<SourceLimits>): Partial<HttpBinding> {
  return { limits: { ...defaultSourceLimits, ...some } };
}

const lines = { "content-type": "application/x-ndjson" };
const json = { "content-type": "application/json" };

async function problemOf(reply: Response) {
  expect(reply.headers.get("content-type")).toContain("application/json");
  return { status: reply.status, ...((await reply.json()) as { error: string; message: string }) };
}

describe("a message", () => {
  test("is taken as it is, and 202 comes when it is safe and no earlier", async () => {
    const gate = createGate();
    const { post, taken } = await listen({ context: { sink: { take: () => gate.opened } } });
    let isAnswered = false;
    const reply = post("/in", '{"t":1}', json).finally(() => {
      isAnswered = true;
    });
    await until(() => taken.length === 1);
    expect(isAnswered).toBe(false);
    gate.open();
    expect((await reply).status).toBe(202);
    expect(await (await reply).json()).toEqual({ messages: 1 });
    expect(taken[0]).toMatchObject({ source: "s", topic: "in" });
    expect(Buffer.from(taken[0]!.payload).toString()).toBe('{"t":1}');
  });

  test("has the topic of its path, levels below the source's included", async () => {
    const { post, taken } = await listen({ sources: { s: { path: "/plant/a" } } });
    await post("/plant/a", "1");
    await post("/plant/a/room%201/door?x=1", "1");
    expect(taken.map(({ topic }) => topic)).toEqual(["plant/a", "plant/a/room 1/door"]);
  });

  test("has the owner's topic where there is one", async () => {
    const { post, taken } = await listen({ sources: { s: { topic: "air/roof" } } });
    await post("/in", "1");
    await post("/in/x", "1");
    expect(taken.map(({ topic }) => topic)).toEqual(["air/roof", "air/roof/x"]);
  });

  test("may be any bytes", async () => {
    const { post, taken } = await listen();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect((await post("/in", bytes, { "content-type": "application/octet-stream" })).status).toBe(202);
    expect(new Uint8Array(taken[0]!.payload)).toEqual(bytes);
  });

  test("may be compressed", async () => {
    const lab = await listen();
    const body = new Uint8Array(gzipSync('{"a":1}\n{"a":2}'));
    const reply = await lab.post("/in", body, { ...lines, "content-encoding": "gzip" });
    expect(await reply.json()).toEqual({ messages: 2 });
    expect(lab.texts).toEqual(['{"a":1}', '{"a":2}']);
  });

  test("of several lines is several messages", async () => {
    const lab = await listen();
    const reply = await lab.post("/in", '{"a":1}\n{"a":2}\r\n\n{"a":3}', lines);
    expect(await reply.json()).toEqual({ messages: 3 });
    expect(lab.texts).toEqual(['{"a":1}', '{"a":2}', '{"a":3}']);
  });
});

describe("what is refused, with its reason", () => {
  test.each([
    ["nothing", "/in", "", {}, 400, /says nothing/],
    ["JSON that is none", "/in", "{", json, 400, /the body is no JSON/],
    ["a line that is no JSON", "/in", '{"a":1}\nx', lines, 400, /line 2 is no JSON/],
    ["a path that is no topic", "/in/a%23", "1", {}, 400, /no topic/],
    ["a path that cannot be read", "/in/%ff", "1", {}, 400, /./],
    [
      "what is not compressed as it says",
      "/in",
      "1",
      { "content-encoding": "gzip" },
      400,
      /content-encoding/,
    ],
    [
      "an encoding nobody has here",
      "/in",
      "1",
      { "content-encoding": "br" },
      415,
      /gzip and deflate are taken/,
    ],
    [
      "a small body that would be a large one",
      "/in",
      gzipSync(Buffer.alloc(1_100_000)),
      { ...lines, "content-encoding": "gzip" },
      413,
      /larger than 1048576 bytes once it is unpacked/,
    ],
    ["another path", "/out", "1", {}, 404, /nothing is taken at POST \/out/],
    ["a message that is too long", "/in", "x".repeat(300_000), {}, 413, /300000 bytes, the limit is 262144/],
    ["a body that is too long", "/in", "x".repeat(1_100_000), lines, 413, /larger than 1048576 bytes/],
    [
      "more lines than are looked at",
      "/in",
      "1\n".repeat(10_001),
      lines,
      413,
      /10001 lines, the limit is 10000/,
    ],
  ])("%s", async (_, path, body, headers, code, message) => {
    const { post, taken } = await listen();
    const problem = await problemOf(await post(path, body, headers));
    expect(problem).toMatchObject({ status: code, message: expect.stringMatching(message) });
    expect(taken).toEqual([]);
  });

  test("whoever has no token, before the body is looked at", async () => {
    const token = "a-token-of-some-length";
    const { post, taken, counters } = await listen({ sources: { s: { token } } });
    const bad = [{}, { authorization: "Bearer something-else" }, { authorization: token }];
    for (const headers of bad) {
      const reply = await post("/in", "1", headers);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
      expect((await problemOf(reply)).status).toBe(401);
    }
    expect((await post("/in", "1", { authorization: `Bearer ${token}` })).status).toBe(202);
    expect(taken).toHaveLength(1);
    expect(counters.get("telemetry.unauthorized")).toBe(3);
  });

  test("what comes faster than the rate, with how long to wait; a batch counts as its messages", async () => {
    const { post, counters } = await listen({ sources: { s: limits({ rate: 0.5, burst: 2 }) } });
    expect((await post("/in", "1\n2\n", lines)).status).toBe(202);
    const reply = await post("/in", "3\n4\n", lines);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThanOrEqual(3);
    expect(await problemOf(reply)).toMatchObject({
      status: 429,
      message: "too fast: the limit is 0.5 messages per second, 2 at once",
    });
    expect(counters.get("telemetry.http-rate")).toBe(2);
  });

  test("what comes while too much is on its way to the pipeline, and not what comes afterwards", async () => {
    const gate = createGate();
    const { post, taken, counters } = await listen({
      sources: { s: limits({ messages: 2 }) },
      context: { sink: { take: () => gate.opened } },
    });
    const waiting = [post("/in", "1"), post("/in", "2")];
    await until(() => taken.length === 2);
    const reply = await post("/in", "3");
    expect(reply.headers.get("retry-after")).toBe("1");
    expect(await problemOf(reply)).toMatchObject({ status: 429, error: "queue-full" });
    expect(counters.get("telemetry.http-queue-full")).toBe(1);
    gate.open();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([202, 202]);
    expect((await post("/in", "4")).status).toBe(202);
  });
});

test("sources on one port have paths and tokens of their own", async () => {
  const token = "a-token-of-some-length";
  const { post, taken } = await listen({
    sources: { open: { path: "/open" }, closed: { path: "/closed", token } },
  });
  expect((await post("/open", "1")).status).toBe(202);
  expect((await post("/closed", "1")).status).toBe(401);
  expect(taken.map(({ source }) => source)).toEqual(["open"]);
});

test("a port that somebody has is listened on as soon as it is free", async () => {
  const port = await freePort();
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const { source, post } = await listen({ sources: { s: { port } } });
  expect(source.isConnected).toBe(false);
  other.close();
  await until(() => source.isConnected);
  expect((await post("/in", "1")).status).toBe(202);
});

test("once closed it lets go of its port", async () => {
  const { source } = await listen();
  const port = source.address!.port;
  await source.close();
  await expect(fetch(`http://127.0.0.1:${port}/in`)).rejects.toThrow();
});
