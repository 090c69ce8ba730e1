// A server and a device as a user starts them, and no sensor at all: the machine measures itself and learns from that.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { Program } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();
const running: Program[] = [];

afterEach(async () => {
  for (const program of running.splice(0).reverse()) await program.stop();
});

function start(...args: readonly string[]): Program {
  const program = Program.start(args);
  running.push(program);
  return program;
}

/** The example's task, in a hurry: a second for five, and two rounds. */
function hurriedTask(): string {
  const example = readFileSync(new URL("../../examples/host-metrics/task.yaml", import.meta.url), "utf8");
  const task = parse(example) as Readonly<Record<string, object>>;
  return stringify({
    ...task,
    sources: { machine: { host: { every: "1s" } } },
    steps: {
      grid: { from: "machine", do: [{ resample: { every: "1s", agg: "mean", fill: { hold: "3s" } } }] },
    },
    features: {
      ...task.features,
      list: [
        { copy: ["cpu_share", "load_1m", "memory_used_share"] },
        { lag: { of: "cpu_share", by: ["1s", "2s"] } },
        { rolling: { of: "cpu_share", over: "3s", get: ["mean", "max"] } },
      ],
    },
    label: { forecast: { of: "cpu_share", ahead: "2s" }, scale: "standard" },
    rows: { split: { validation: { share: "30%", by: "example" }, gap: "0s" } },
    rounds: { ...task.rounds, minExamples: 8, max: 2 },
  });
}

test("a machine learns to forecast its own load, and predicts with what it has learned", async () => {
  const task = temp.write("task.yaml", hurriedTask());
  const data = join(temp.path, "server");
  await start("enrol", "pc-1", "--data", data, "--task", task, "--out", temp.path).exit;
  const server = start("server", task, "--data", data, "--listen", "127.0.0.1:0", "--no-http");
  const [, url] = await server.said(/ready: (\S+)/);
  const example = readFileSync(new URL("../../examples/host-metrics/device.yaml", import.meta.url), "utf8");
  const path = join(temp.path, "device.yaml");
  writeFileSync(path, example.replace(/^server: .*$/m, `server: ${url}`));
  const device = start("device", path);
  await device.said(/serving a version/);
  await server.said(/training is over/);
  const listed = Program.start(["data", "ls", join(temp.path, "pc-1-data"), "--json"]);
  expect(await listed.exit).toMatchObject({ code: 0 });
  expect(listed.stdout).toContain("machine");
}, 120_000);
