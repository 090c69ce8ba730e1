// examples/continual: a machine that wears out, rounds without an end, and the error of each prediction before it was learned from.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { startTelemetryBroker } from "../../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../../shared/log.js";
import { ExampleLab } from "../../support/example-lab.js";
import { until } from "../../support/until.js";

const lab = new ExampleLab("continual");
const closers: (() => Promise<unknown>)[] = [() => lab.close()];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test("labels mature, rounds go on, and the model follows the machine", async () => {
  lab.open();
  // As `npm install mqtt` would.
  symlinkSync(fileURLToPath(new URL("../../../node_modules", import.meta.url)), lab.at("node_modules"));
  lab.edit("task.yaml", (text) => text.replace("every: 1h", "every: 1s"));
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  lab.edit("device.yaml", (text) => text.replaceAll("mqtt://127.0.0.1:1884", broker.url));
  await lab.startServer("edge-1");
  const device = lab.run("device", lab.at("device.yaml"));
  await device.said(/-telemetry-.*connected to the broker/);
  const watch = script("watch.js", broker.url, "250");
  const stream = script("stream.js", broker.url, "6000", "300");
  await once(stream.child, "exit");
  const lines = () => [
    ...watch.output.matchAll(/^(\d+) labels, version (\d+): rmse (\S+), persistence (\S+)$/gm),
  ];
  await until(() => lines().length > 10);
  const shown = lines().map(([, labels, version, rmse, naive]) => [labels, version, rmse, naive].map(Number));
  const versions = shown.map(([, version]) => version!);
  // Version by version, to the end.
  expect(new Set(versions).size).toBeGreaterThan(3);
  expect(versions.at(-1)).toBeGreaterThan(versions.at(-3)!);
  const [, , rmse, naive] = shown.at(-1)!;
  // By now a load does the opposite of what it did when the first version was trained.
  expect(rmse).toBeLessThan(0.8 * naive!);
}, 120_000);

function script(name: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [lab.at(name), ...args], { cwd: dirname(lab.at(name)) });
  const running = { child, output: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    running.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    running.output += text;
  });
  closers.push(async () => child.kill());
  return running;
}
