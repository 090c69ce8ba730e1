import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "headwater-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the built program (`npm test` builds it) and waits for its end. */
function headwater(...args: string[]) {
  const options = { cwd: root, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/main.js", ...args], options);
  return { status, stdout, stderr };
}

test("headwater --version says what package.json says", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(headwater("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test("an unknown command is answered with the nearest one, and exit code 2", () => {
  const { status, stderr } = headwater("pln");
  expect(status).toBe(2);
  expect(stderr).toContain("Did you mean plan?");
});

test("headwater schema prints a JSON Schema", () => {
  const { status, stdout } = headwater("schema");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ title: "Headwater task", type: "object" });
});

test("headwater device loads what a device needs, and nothing of servers, simulations and tfjs", () => {
  // Node writes down which scripts were there when it ended.
  const scripts = join(folder, "scripts");
  const env = { ...process.env, NODE_V8_COVERAGE: scripts };
  const { status } = spawnSync(process.execPath, ["dist/cli/main.js", "device", "absent.yaml"], {
    cwd: root,
    env,
  });
  expect(status).toBe(2);
  const loaded = readdirSync(scripts)
    .map((name) => readFileSync(join(scripts, name), "utf8"))
    .join();
  expect(loaded).toContain("/dist/device/host/host.js");
  for (const other of [
    "/dist/server/",
    "/dist/simulator/",
    "/@tensorflow/",
    "/fastify/",
    "/aedes/",
    "/csv-parse/",
    "/cbor-x/",
    "/protobufjs/",
    "/dist/device/ingest/decoders/objects.js",
    "/dist/device/http/http.js",
  ])
    expect(loaded.includes(other), other).toBe(false);
});

describe("headwater plan", () => {
  test("counts columns, params and bytes", () => {
    const { status, stdout } = headwater("plan", "examples/mnist/task.yaml", "--json");
    expect(status).toBe(0);
    const plan = JSON.parse(stdout) as { columns: string[] };
    expect(plan.columns).toHaveLength(784);
    // The 2NN of McMahan et al. 2017, sec. 3, has 199,210 params.
    expect(plan).toMatchObject({ params: 199_210, bytesPerUpdate: 796_840, engine: "fused-wasm" });
  });

  test("is readable without --json", () => {
    const { stdout } = headwater("plan", "examples/air-quality/task.yaml");
    expect(stdout).toContain("columns           19: pm25, pm10,");
    expect(stdout).toContain("warm-up           25h and 1 row");
  });

  test("says of every operator what it keeps, what it waits for and how long a row takes it", () => {
    const { stdout } = headwater("plan", "examples/air-quality/task.yaml", "--json");
    const { parts } = JSON.parse(stdout) as {
      parts: { where: string; name: string; microseconds: number }[];
    };
    expect(parts.map(({ where, name }) => `${where} ${name}`)).toEqual([
      "steps.hourly range",
      "steps.hourly resample",
      "features copy",
      "features lag",
      "features cyclic",
      "features observed",
    ]);
    for (const { microseconds } of parts) expect(microseconds).toBeGreaterThan(0);
  });

  test("counts a given topology by building it", () => {
    const config = { units: 3, activation: "softmax", batch_input_shape: [null, 1], name: "only" };
    const topology = {
      class_name: "Sequential",
      config: { name: "given", layers: [{ class_name: "Dense", config }] },
    };
    const task = {
      task: "given",
      sources: { air: {} },
      features: { from: "air", list: [{ copy: "pm25" }] },
      label: { field: "class" },
      model: { layers: topology, output: { classification: 3 } },
    };
    const path = join(folder, "given.yaml");
    writeFileSync(path, JSON.stringify(task));
    const { status, stdout, stderr } = headwater("plan", path, "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ params: 6 });
  });

  test("refuses an invalid task with exit code 2, nothing on stdout, and a line per problem", () => {
    const path = join(folder, "bad.yaml");
    writeFileSync(path, "task: bad\nrounds: { deadline: 5 }\n");
    const { status, stdout, stderr } = headwater("plan", path);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(`${path} is not a valid task:\n`);
    expect(stderr).toContain("  line 2: rounds.deadline: expected a duration with its unit");
    expect(stderr).not.toContain("    at ");
  });
});
