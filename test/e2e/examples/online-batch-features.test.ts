// examples/online-batch-features: readings of a day, the night, readings of the next, with real processes.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { startTelemetryBroker } from "../../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../../shared/log.js";
import { ExampleLab } from "../../support/example-lab.js";
import { MAIN } from "../../support/program.js";
import { openSession } from "../../support/test-session.js";
import { until } from "../../support/until.js";

const lab = new ExampleLab("online-batch-features");
const closers: (() => Promise<void>)[] = [() => lab.close()];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test("a reading meets what the night found out about its meter, and live is as in bulk", async () => {
  lab.open();
  await lab.prepareDevice("site");
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  lab.edit("device.yaml", (text) => text.replaceAll("mqtt://127.0.0.1:1884", broker.url));
  const endpoint = { url: broker.url };
  const site = openSession("meters", { endpoint, subscriptions: ["headwater/site/prediction"] });
  closers.push(() => site.session.close());
  const device = lab.run("device", lab.at("device.yaml"));
  await device.said(/-telemetry-.*connected to the broker/);
  await until(() => site.connects === 1);
  const send = (meter: string, timeMs: number, kw: number) =>
    site.session.publish(`meter/${meter}/power`, Buffer.from(JSON.stringify({ ts: timeMs / 1000, kw })));
  const today = new Date().setUTCHours(0, 0, 0, 0);
  for (let hour = -24; hour < 0; hour++) {
    await send("hall", today + hour * 3_600_000, 10 + (hour % 2));
    await send("yard", today + hour * 3_600_000, 2);
  }
  const night = () => execFileSync("sh", [lab.at("nightly.sh")], { env: { ...process.env, HEADWATER } });
  await until(async () => (await exported()).split("\n").length > 48, 20_000);
  night();
  expect(readFileSync(lab.at("profile.csv"), "utf8").split("\n")[0]).toBe("time,entity,kw.mean,kw.q95");
  // Live readings come, as meters send them, until the device has read the table and joins them with it.
  await until(async () => {
    await send("hall", Date.now(), 12);
    return site.messages.length > 3;
  }, 30_000);
  await device.stop();
  const made = site.messages.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
  // Of the day before nothing was known then, and of the yard nothing has come since.
  expect(new Set(made.map(({ entity }) => entity))).toEqual(new Set(["hall"]));
  const bulk = await lab.output("predict", lab.at("site-data"), "--format", "jsonl");
  const byId = new Map(
    bulk
      .trimEnd()
      .split("\n")
      .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
  );
  for (const { id, value } of made) expect(byId.get(id)?.value).toBe(value);
  const readings = await lab.output("data", "export", lab.at("site-data"), "--source", "profile");
  expect(readings).toMatch(/,profile,hall,,9\.5,10\n/);
}, 120_000);

const HEADWATER = `${process.execPath} ${MAIN}`;

function exported(): Promise<string> {
  return lab.output("data", "export", lab.at("site-data"), "--source", "meter");
}
