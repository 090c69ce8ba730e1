// The API over a real server, asked without a socket.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../../../server/http/http.js";
import type { ApiSources } from "../../../../server/http/views.js";
import { Counters } from "../../../../shared/counters.js";
import { HeadwaterError } from "../../../../shared/error.js";
import type { DeviceId } from "../../../../shared/id.js";
import { silentLogger } from "../../../../shared/log.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { ServerLab } from "../../../support/server-lab.js";

const HOSTILE = `</td><script>alert("&'")</script>`;
const rounds = "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 2 }\nevaluate: { every: 1 }";

let runtime: ModelRuntime;
let lab: ServerLab;
let sources: ApiSources;
let app: Awaited<ReturnType<typeof createApp>>;
let trouble: string | undefined;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
  lab = new ServerLab({ runtime, yaml: rounds });
  const server = await lab.start();
  sources = {
    ...{ task: lab.task.task, version: "1.2.3", server, clock: lab.clock, startedMs: 7 },
    enrolled: { list: () => ["absent", "b"].map((id) => ({ device: id as DeviceId, enrolledMs: 5 })) },
    brokerCounters: new Counters(),
    broker: () => ({ kind: "external", urls: ["mqtt://broker:1883"], isConnected: true }),
    notReady: () => trouble,
  };
  app = await createApp({ sources, logger: silentLogger });
  await runFederation();
});

afterAll(async () => {
  await app.close();
  runtime.dispose();
});

/** One train round and its evaluation; then the second train round opens, and one of its members delivers. */
async function runFederation(): Promise<void> {
  const [a, b] = [await lab.device("a"), await lab.device("b")];
  await a.hello();
  await b.hello();
  for (const kind of ["train", "evaluate"]) {
    for (const device of [a, b]) expect(await device.contribute()).toMatchObject({ status: "accepted" });
    await lab.settle(() => lab.told("round-closed").some((fact) => fact.kind === kind));
  }
  await a.contribute();
  await b.hello({ reason: HOSTILE, eligible: false });
}

async function get(url: string) {
  const response = await app.inject({ url });
  return { code: response.statusCode, body: response.json() as unknown, headers: response.headers };
}

describe("the API", () => {
  test("says where the federation stands", async () => {
    const { code, body } = await get("/api/status");
    expect(code).toBe(200);
    expect(body).toMatchObject({
      ...{ task: "lab", version: "1.2.3", startedMs: 7, isReady: true, trainRounds: 1, trainRoundsMax: 2 },
      open: { kind: "train", members: [{ device: "a", status: "accepted" }, { device: "b" }] },
      fleet: { enrolled: 2, connected: 2, heard: 2 },
      counters: { "update-accepted": 5 },
    });
    expect(body).not.toHaveProperty("finished");
  });

  test("lists rounds from the newest back, page by page", async () => {
    const first = await get("/api/rounds?limit=2");
    expect(first.body).toMatchObject({
      rounds: [
        { round: 3, kind: "train", outcome: "open" },
        { round: 2, kind: "evaluate", outcome: "completed", accepted: 2, members: 2, rejected: 0 },
      ],
      next: 2,
    });
    const [, evaluated] = (first.body as { rounds: { metrics: Record<string, number> }[] }).rounds;
    expect(Object.keys(evaluated?.metrics ?? {})).toEqual(["rmse", "mae", "loss"]);
    const second = await get("/api/rounds?limit=2&before=2");
    expect(second.body).toMatchObject({ rounds: [{ round: 1, outcome: "completed", version: 2 }] });
    expect(second.body).not.toHaveProperty("next");
  });

  test("lists versions with their lineage, lines and scores", async () => {
    const { body } = await get("/api/models");
    expect(body).toMatchObject({
      models: [
        {
          version: 2,
          parent: 1,
          isHead: true,
          isStable: true,
          evaluation: { round: 2, rows: 20, devices: 2 },
        },
        { version: 1, parent: 0, isHead: false, isStable: false },
      ],
    });
  });

  test("lists devices enrolled or heard, and pages and filters them", async () => {
    const ids = async (url: string) =>
      ((await get(url)).body as { devices: { device: string }[] }).devices.map(({ device }) => device);
    expect(await ids("/api/devices")).toEqual(["a", "absent", "b"]);
    expect(await ids("/api/devices?connected=true")).toEqual(["a", "b"]);
    expect(await ids("/api/devices?connected=false")).toEqual(["absent"]);
    expect(await ids("/api/devices?after=a&limit=1")).toEqual(["absent"]);
    expect((await get("/api/devices?limit=1")).body).toMatchObject({ next: "a" });
    expect((await get("/api/devices?after=a")).body).toMatchObject({
      devices: [
        { isConnected: false, isEnrolled: true },
        { isEligible: false, reason: HOSTILE },
      ],
    });
  });

  test.each([
    ["/api/rounds?limit=0"],
    ["/api/rounds?limit=501"],
    ["/api/rounds?before=x"],
    ["/api/rounds?order=up"],
    ["/api/devices?connected=maybe"],
    [`/api/devices?after=${"x".repeat(65)}`],
    ["/%"],
  ])("refuses %s with 400 and says why", async (url) => {
    const { code, body } = await get(url);
    expect(code).toBe(400);
    expect(body).toEqual({ error: "bad-request", message: expect.stringMatching(/./) });
  });

  test("answers what is not there with 404, and cannot be written to", async () => {
    expect(await get("/api/nothing")).toMatchObject({ code: 404, body: { error: "not-found" } });
    const posted = await app.inject({ method: "POST", url: "/api/status", payload: {} });
    expect(posted.statusCode).toBe(404);
  });

  test("is live at all times, and ready when nothing stands in the way", async () => {
    expect(await get("/health/ready")).toMatchObject({ code: 200, body: { status: "ok" } });
    trouble = "the broker is away";
    expect(await get("/health/ready")).toMatchObject({
      code: 503,
      body: { status: "not-ready", reason: "the broker is away" },
    });
    expect((await get("/api/status")).body).toMatchObject({ isReady: false, notReady: trouble });
    expect(await get("/health/live")).toMatchObject({ code: 200 });
    trouble = undefined;
  });

  test("keeps what went wrong inside to the log", async () => {
    const server: ApiSources["server"] = {
      status: () => {
        throw new HeadwaterError("storage-failed", "/secret/path: disk I/O error");
      },
      rounds: () => [],
      versions: () => [],
    };
    const broken = await createApp({ sources: { ...sources, server }, logger: silentLogger });
    const response = await broken.inject({ url: "/api/status" });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ error: "internal" });
    expect(response.body).not.toContain("secret");
    await broken.close();
  });
});

describe("the OpenAPI document", () => {
  interface Document {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Record<string, { get: { responses: Record<string, object>; parameters?: object[] } }>;
  }

  test("describes every route with its answers and parameters", async () => {
    const document = (await get("/api/openapi.json")).body as Document;
    expect(document.openapi).toBe("3.0.3");
    expect(document.info.version).toBe("1.2.3");
    expect(Object.keys(document.paths).sort()).toEqual([
      ...["/api/devices", "/api/models", "/api/rounds", "/api/status", "/health/live", "/health/ready"],
    ]);
    for (const [path, { get: operation }] of Object.entries(document.paths)) {
      const ok = operation.responses["200"];
      expect(ok, path).toMatchObject({ content: { "application/json": { schema: { type: "object" } } } });
    }
    expect(document.paths["/api/rounds"]?.get.parameters).toMatchObject([
      { in: "query", name: "limit", required: false, schema: { type: "integer", minimum: 1, maximum: 500 } },
      { in: "query", name: "before", required: false },
    ]);
  });
});

describe("the page", () => {
  test("shows the federation, and what devices say only as text", async () => {
    const { body: page, headers } = await app.inject({ url: "/" });
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page).toContain("<h1>lab</h1>");
    expect(page).toContain("<h2>Open round 3</h2>");
    expect(page).toContain("no: &#60;/td&#62;&#60;script&#62;alert(&#34;&#38;&#39;&#34;)");
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/(?:src|href)="https?:/);
  });

  test("has a policy that lets in its own style and script, by their content, and nothing else", async () => {
    const { body: page, headers } = await app.inject({ url: "/" });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none';/);
    for (const element of ["style", "script"]) {
      const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(page)?.[1] ?? "";
      const hash = createHash("sha256").update(text).digest("base64");
      expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
    }
  });

  test("has tables that a screen reader can read", async () => {
    const { body: page } = await app.inject({ url: "/" });
    const count = (pattern: RegExp) => page.match(pattern)?.length ?? 0;
    expect(page).toContain('<html lang="en">');
    expect(count(/<table>/g)).toBeGreaterThan(3);
    expect(count(/<caption>/g)).toBe(count(/<table>/g));
    expect(count(/<th>/g)).toBe(0);
  });
});
