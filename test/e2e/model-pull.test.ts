// `headwater model pull`, as a program's owner runs it: a server of its own, no agent, and a file to predict with.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ExampleLab } from "../support/example-lab.js";

const lab = new ExampleLab("batch-scoring");

afterAll(() => lab.close());

test("a program asks when it likes, gets what is newer, and predicts without a server", async () => {
  lab.open();
  execFileSync(process.execPath, [lab.at("make-data.js")]);
  lab.edit("task.yaml", (text) => text.replace("max: 12", "max: 2"));
  const server = await lab.startServer("office");
  const [, url] = /ready: (\S+)/.exec(server.stdout)!;
  const data = lab.at("server-data");
  await lab.output("enrol", "planner", "--data", data, "--out", lab.folder);
  const out = lab.at("demand.tar");
  const pull = async (...more: readonly string[]) => {
    const credential = join(lab.folder, "planner.credential.json");
    const args = ["model", "pull", "--broker", url!, "--credential", credential, "--out", out, "--json"];
    return JSON.parse(await lab.output(...args, ...more));
  };
  expect(await pull()).toEqual({ pulled: false, channel: "stable", reason: "no-version", version: null });
  const device = lab.run("device", lab.at("device.yaml"));
  await server.said(/training is over/);
  await device.stop();
  const first = await pull();
  expect(first).toMatchObject({ pulled: true, channel: "stable" });
  expect(await pull("--same-inputs")).toEqual({
    ...{ pulled: false, channel: "stable", reason: "not-newer" },
    version: first.version,
  });
  await server.stop();
  const csv = await lab.output("predict", out, "--data", lab.at("ahead.csv"));
  expect(csv.trimEnd().split("\n")).toHaveLength(49);
  const same = await lab.output("predict", lab.at("office-data"), "--data", lab.at("ahead.csv"));
  expect(csv).toBe(same);
}, 60_000);

test("what cannot be asked is said", async () => {
  const run = lab.run(
    "model",
    "pull",
    "--broker",
    "mqtt://127.0.0.1:1",
    "--credential",
    "none",
    "--out",
    "a.bin",
  );
  expect(await run.exit).toMatchObject({ code: 2 });
  expect(run.stderr).toMatch(/expected a name that ends in \.tar/);
});

test("a broker that is not there is told at once, and when it is given up", async () => {
  lab.open();
  const data = lab.at("server-data");
  await lab.output("enrol", "visitor", "--data", data, "--task", lab.at("task.yaml"), "--out", lab.folder);
  const credential = lab.at("visitor.credential.json");
  const where = ["--broker", "mqtt://127.0.0.1:1", "--credential", credential, "--out", lab.at("none.tar")];
  const run = lab.run("model", "pull", ...where, "--timeout", "1s");
  expect(await run.exit).toMatchObject({ code: 1 });
  expect(run.stderr).toMatch(/ECONNREFUSED.*cannot connect to the broker/);
  expect(run.stderr).toMatch(/within 1000 ms: the broker could not be reached, or refused the credential/);
});
