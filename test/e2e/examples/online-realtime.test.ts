// examples/online-realtime: message in, prediction out, over a real broker and with a real process.

import { afterAll, expect, test } from "vitest";
import { startTelemetryBroker } from "../../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../../shared/log.js";
import { ExampleLab } from "../../support/example-lab.js";
import { freePort } from "../../support/free-port.js";
import { openSession } from "../../support/test-session.js";
import { until } from "../../support/until.js";

const lab = new ExampleLab("online-realtime");
const closers: (() => Promise<void>)[] = [() => lab.close()];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test("each message has its prediction before the next one comes, and three ways to hear of it", async () => {
  lab.open();
  await lab.prepareDevice("motor-1");
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  const port = await freePort();
  lab.edit("device.yaml", (text) =>
    text.replaceAll("mqtt://127.0.0.1:1884", broker.url).replace(":9464", `:${port}`),
  );
  const endpoint = { url: broker.url };
  const motor = openSession("motor", { endpoint, subscriptions: ["headwater/motor-1/prediction"] });
  closers.push(() => motor.session.close());
  const device = lab.run("device", lab.at("device.yaml"));
  await device.said(/-telemetry-.*connected to the broker/);
  await until(() => motor.connects === 1);
  const startS = Math.floor(Date.now() / 1000) - 100;
  const send = (second: number) => {
    const state = { ts: startS + second, temp: 60 + Math.sin(second / 9), current: 8 + (second % 3) };
    return motor.session.publish("motor/m1/state", Buffer.from(JSON.stringify(state)), {});
  };
  const heard = () => motor.messages.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
  // Lags of ten rows and a window of 30 s have to fill first.
  let second = 0;
  while (motor.messages.length === 0 && second < 60) await send(second++);
  await until(() => motor.messages.length > 0);
  for (; second < 70; second++) {
    await send(second);
    await until(() => heard().at(-1).timeMs === 1000 * (startS + second));
  }
  const last = heard().at(-1);
  expect(last).toMatchObject({ task: "motor-heat", entity: "m1", version: 1 });
  const late = openSession("late", { endpoint, subscriptions: ["headwater/motor-1/prediction/+"] });
  closers.push(() => late.session.close());
  await until(() => late.messages.length === 1);
  expect(late.messages[0]?.topic).toBe("headwater/motor-1/prediction/m1");
  expect(JSON.parse(Buffer.from(late.messages[0]!.payload).toString())).toEqual(last);
  const answer = await fetch(`http://127.0.0.1:${port}/predictions?entity=m1&limit=5`);
  const { predictions } = (await answer.json()) as { readonly predictions: readonly object[] };
  expect(predictions).toHaveLength(5);
  expect(predictions[0]).toMatchObject({ id: last.id, value: last.value });
}, 60_000);
