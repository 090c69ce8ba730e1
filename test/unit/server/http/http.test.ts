// The API over a real server, asked without a socket.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../../../server/http/http.js";
import { lineageSchema } from "../../../../server/http/schema.js";
import type { ApiSources } from "../../../../server/http/views.js";
import { filesOf } from "../../../../shared/artefact/disk.js";
import { readArtefact } from "../../../../shared/artefact/files.js";
import { Counters } from "../../../../shared/counters.js";
import { HeadwaterError } from "../../../../shared/error.js";
import type { DeviceId } from "../../../../shared/id.js";
import { faultOf, runSchema } from "../../../../shared/lineage/record.js";
import { silentLogger } from "../../../../shared/log.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { publicKeyFromRaw } from "../../../../shared/wire/signature.js";
import { ServerLab, serverKeys } from "../../../support/server-lab.js";

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
    ...{ task: lab.task.task, source: lab.task, version: "1.2.3", server, clock: lab.clock, startedMs: 7 },
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

  test("tells how a version came to be, to its first ancestor, signed", async () => {
    const { body } = await get("/api/models/2/lineage");
    const { publicKey, lineage, next } = lineageSchema.parse(body);
    expect(next).toBeUndefined();
    expect(lineage.map(({ run }) => run.record.version)).toEqual([2, 1]);
    const key = publicKeyFromRaw(Buffer.from(publicKey, "base64"));
    for (const { run } of lineage) {
      const signature = Buffer.from(run.signature, "base64");
      expect(faultOf(key, { ...run, record: runSchema.parse(run.record), signature })).toBeUndefined();
    }
    expect(lineage[0]!.verdict?.record).toMatchObject({ version: 2, passed: true });
    const first = await get("/api/models/2/lineage?limit=1");
    expect(first.body).toMatchObject({ lineage: [{ run: { record: { version: 2 } } }], next: 1 });
    expect(await get("/api/models/9/lineage")).toMatchObject({ code: 404, body: { error: "not-found" } });
    expect(await get("/api/models/x/lineage")).toMatchObject({ code: 400 });
  });

  test("gives a version as an archive that verifies", async () => {
    const response = await app.inject({ url: "/api/models/2/export" });
    expect(response.headers["content-type"]).toBe("application/x-tar");
    expect(response.headers["content-disposition"]).toBe('attachment; filename="lab-2.tar"');
    const files = await filesOf(new Uint8Array(response.rawPayload), "lab-2.tar");
    const { manifest, lineage } = await readArtefact(files, runtime);
    expect(manifest.version).toBe(2);
    expect(lineage.map(({ run }) => run.record.version)).toEqual([2, 1]);
    expect(await get("/api/models/9/export")).toMatchObject({ code: 404, body: { error: "not-found" } });
    expect(await get("/api/models/x/export")).toMatchObject({ code: 400 });
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
      ...{ publicKey: serverKeys.publicKey, lineage: () => [], aliases: lab.server.aliases },
      exported: async () => undefined,
      status: () => {
        throw new HeadwaterError("storage-failed", "/secret/path: disk I/O error");
      },
      rounds: () => [],
      versions: () => [],
      members: () => [],
      watch: () => () => undefined,
      paramCount: 0,
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
  interface Operation {
    readonly responses: Record<string, object>;
    readonly parameters?: object[];
  }
  interface Document {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Record<string, { get?: Operation; post?: Operation; put?: Operation }>;
  }

  test("describes every route with its answers and parameters", async () => {
    const document = (await get("/api/openapi.json")).body as Document;
    expect(document.openapi).toBe("3.0.3");
    expect(document.info.version).toBe("1.2.3");
    expect(Object.keys(document.paths).sort()).toEqual([
      ...["/api/aliases/{name}", "/api/devices", "/api/drift", "/api/metrics", "/api/models"],
      "/api/models/{version}/export",
      ...["/api/models/{version}/lineage", "/api/models/{version}/promote"],
      ...["/api/rollback", "/api/rounds", "/api/rounds/{round}", "/api/selection"],
      ...["/api/status", "/api/task"],
      ...["/health/live", "/health/ready"],
    ]);
    for (const [path, { get, post, put }] of Object.entries(document.paths)) {
      if (path.endsWith("/export")) continue;
      const ok = (get ?? post ?? put)?.responses["200"];
      expect(ok, path).toMatchObject({ content: { "application/json": { schema: { type: "object" } } } });
    }
    expect(document.paths["/api/rounds"]?.get?.parameters).toMatchObject([
      { in: "query", name: "limit", required: false, schema: { type: "integer", minimum: 1, maximum: 500 } },
      { in: "query", name: "before", required: false },
    ]);
  });
});

describe("rounds, metrics and task, in detail", () => {
  test("one round has its devices with their times", async () => {
    expect((await get("/api/rounds/3")).body).toMatchObject({
      ...{ round: 3, outcome: "open" },
      members: [{ device: "a", status: "accepted", examples: 10 }, { device: "b" }],
    });
    expect(await get("/api/rounds/99")).toMatchObject({ code: 404, body: { error: "not-found" } });
    expect(await get("/api/rounds/x")).toMatchObject({ code: 400 });
  });

  test("metrics come oldest first, by the version they are of", async () => {
    const { body } = await get("/api/metrics");
    expect(body).toMatchObject({ points: [{ round: 2, version: 2, metrics: { rmse: expect.any(Number) } }] });
  });

  test("the task comes as YAML with what it costs", async () => {
    const { body } = await get("/api/task");
    expect(body).toMatchObject({ task: "lab", columns: ["a", "b"], params: 13, bytesPerUpdate: 52 });
    expect((body as { yaml: string }).yaml).toContain("task: lab");
  });

  test("there is no drift before the first report", async () => {
    expect((await get("/api/drift")).body).toEqual({ columns: [], devices: [], total: 0, silentAfterMs: 0 });
    expect((await get("/api/status")).body).not.toHaveProperty("drift");
  });
});

describe("the dashboard's files", () => {
  const asset = { type: "text/html; charset=utf-8", body: Buffer.from("plain"), gzip: Buffer.from("packed") };
  const assets = new Map([
    ["/", { ...asset, isImmutable: false }],
    ["/assets/index-1.js", { ...asset, isImmutable: true }],
  ]);

  test("are packed for who asks for it, and named ones are kept for good", async () => {
    const site = await createApp({ sources, logger: silentLogger, assets });
    const page = await site.inject({ url: "/" });
    expect(page.body).toBe("plain");
    expect(page.headers).toMatchObject({ "cache-control": "no-cache", vary: "accept-encoding" });
    const script = await site.inject({
      url: "/assets/index-1.js",
      headers: { "accept-encoding": "br, gzip" },
    });
    expect(script.body).toBe("packed");
    expect(script.headers).toMatchObject({
      "content-encoding": "gzip",
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect((await site.inject({ url: "/assets/../../package.json" })).statusCode).toBe(404);
    await site.close();
  });

  test("may load and do nothing but what comes from this server, in files", async () => {
    const policy = String((await app.inject({ url: "/api/status" })).headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe");
  });

  test("that are not built are answered with what to do", async () => {
    const bare = await createApp({ sources, logger: silentLogger, assets: new Map() });
    const response = await bare.inject({ url: "/" });
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ message: expect.stringContaining("npm run build") });
    await bare.close();
  });
});
