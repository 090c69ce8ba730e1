// `headwater server` and what may be wrong around it, as real processes.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Program } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();
const task = "examples/pumps/task.yaml";
const anywhere = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
const running: Program[] = [];

function headwater(...args: readonly string[]): Program {
  const program = Program.start(args);
  running.push(program);
  return program;
}

function startServer(folder: string, ...options: readonly string[]): Program {
  return headwater("server", task, "--data", join(temp.path, folder), ...anywhere, ...options);
}

/** Waits until the server is ready and answers its addresses. */
async function ready(server: Program): Promise<{ readonly mqtt: string; readonly http: string }> {
  const [, mqtt, http] = await server.said(/ready: (\S+) (\S+)/);
  return { mqtt: mqtt!, http: http! };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop("SIGKILL")));
});

test("answers health, API, OpenAPI and a page, and stops with 0 when asked to", async () => {
  const server = startServer("answers");
  const { http } = await ready(server);
  const get = (path: string) => fetch(`${http}${path}`);
  expect(await (await get("/health/live")).json()).toEqual({ status: "ok" });
  expect((await get("/health/ready")).status).toBe(200);
  expect(await (await get("/api/status")).json()).toMatchObject({ task: "pumps", isReady: true, head: 0 });
  expect(await (await get("/api/rounds")).json()).toEqual({ rounds: [] });
  const api = (await (await get("/api/openapi.json")).json()) as { openapi: string; paths: object };
  expect(api.openapi).toMatch(/^3\./);
  expect(Object.keys(api.paths)).toEqual(
    expect.arrayContaining(["/api/status", "/api/rounds", "/api/models", "/api/devices", "/health/ready"]),
  );
  expect((await get("/api/nothing")).status).toBe(404);
  const page = await get("/");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("<title>Headwater</title>");
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

test("status shows it on a terminal's behalf, and says when nobody answers", async () => {
  const { http } = await ready(startServer("status"));
  const status = headwater("status", "--server", http);
  expect(await status.exit).toMatchObject({ code: 0 });
  expect(status.stdout).toContain("0 of 0 devices connected");
  const nobody = headwater("status", "--server", "http://127.0.0.1:1");
  expect(await nobody.exit).toMatchObject({ code: 4 });
  expect(nobody.stderr).toContain("no status from http://127.0.0.1:1");
});

test("keeps its key over a restart, and devices enrolled while it runs", async () => {
  const first = startServer("restarts");
  await ready(first);
  const folder = join(temp.path, "restarts");
  const enrol = headwater("enrol", "pump-1", "--data", folder, "--out", temp.path);
  expect(await enrol.exit).toMatchObject({ code: 0 });
  expect(existsSync(join(temp.path, "pump-1.credential.json"))).toBe(true);
  const key = readFileSync(join(folder, "server.key"), "utf8");
  await first.stop("SIGKILL");
  const { http } = await ready(startServer("restarts"));
  expect(readFileSync(join(folder, "server.key"), "utf8")).toBe(key);
  expect(await (await fetch(`${http}/api/devices`)).json()).toMatchObject({
    devices: [{ device: "pump-1", isEnrolled: true, isConnected: false }],
  });
});

describe("is refused with a sentence and an exit code", () => {
  test("a second server on one folder: 3", async () => {
    const first = startServer("shared");
    await ready(first);
    const second = startServer("shared");
    expect(await second.exit).toMatchObject({ code: 3 });
    expect(second.stderr).toContain(`shared is in use by another process (pid ${first.pid})`);
  });

  test("a busy port: 4, naming it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const server = headwater(
      "server",
      task,
      "--data",
      join(temp.path, "busy"),
      "--listen",
      `127.0.0.1:${port}`,
    );
    expect(await server.exit).toMatchObject({ code: 4 });
    expect(server.stderr).toContain(`127.0.0.1:${port}`);
    other.close();
  });

  test("a damaged database: 1, and nothing of it is deleted", async () => {
    await ready(startServer("damaged"));
    await running.pop()?.stop();
    const path = join(temp.path, "damaged", "server.db");
    writeFileSync(path, "no database");
    const server = startServer("damaged");
    expect(await server.exit).toMatchObject({ code: 1 });
    expect(server.stderr).toContain(path);
    expect(readFileSync(path, "utf8")).toBe("no database");
  });

  test.each([
    [["--listen", "1883"], "expected HOST:PORT"],
    [["--broker", "localhost"], 'broker "localhost" is no URL'],
  ])("options that cannot be: 2 (%j)", async (options, message) => {
    const server = headwater("server", task, "--data", join(temp.path, "options"), ...options);
    expect(await server.exit).toMatchObject({ code: 2 });
    expect(server.stderr).toContain(message);
  });
});

describe("headwater device", () => {
  test("stops with 0 although its server cannot be reached, and a second one on its folder ends with 3", async () => {
    const folder = join(temp.path, "lonely-server");
    await headwater("enrol", "pump-9", "--data", folder, "--task", "pumps", "--out", temp.path).exit;
    const config = temp.write(
      "device.yaml",
      "server: mqtt://127.0.0.1:1\ncredential: pump-9.credential.json\ndata: lonely\n",
    );
    const device = headwater("device", config);
    await device.said(/running: pump-9/);
    const second = headwater("device", config);
    expect(await second.exit).toMatchObject({ code: 3 });
    expect(await device.stop()).toEqual({ code: 0, signal: null });
  });

  test("a config that is wrong ends it with 2, naming line and key", async () => {
    const device = headwater("device", temp.write("wrong.yaml", "server: localhost\n"));
    expect(await device.exit).toMatchObject({ code: 2 });
    expect(device.stderr).toContain("line 1: server: expected mqtt://");
  });
});

test("an alert topic without a broker to publish to is refused at once, and says what is missing", async () => {
  const server = startServer("alerts", "--alert-topic", "plant/alerts");
  expect(await server.exit).toMatchObject({ code: 2 });
  expect(server.stderr).toContain("--alert-topic needs --alert-broker");
});

test("a report is made while the server runs, as a page or as an object, and as nothing else", async () => {
  await ready(startServer("reported"));
  const make = async (name: string) => {
    const out = join(temp.path, name);
    const program = headwater("report", "--data", join(temp.path, "reported"), "--out", out);
    return { out, program, code: (await program.exit).code };
  };
  const page = await make("report.html");
  expect(page.code).toBe(0);
  expect(readFileSync(page.out, "utf8")).toContain("</html>");
  const object = await make("report.json");
  expect(JSON.parse(readFileSync(object.out, "utf8"))).toMatchObject({ v: 1, task: "pumps", rounds: [] });
  const other = await make("report.pdf");
  expect(other.code).toBe(2);
  expect(other.program.stderr).toContain("an .html or a .json file");
});
