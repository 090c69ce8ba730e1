import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { randomStream } from "../../../../shared/random.js";
import { LightDevice } from "../../../../simulator/live/light-device.js";
import { ServerLab } from "../../../support/server-lab.js";

let runtime: ModelRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

test("light devices take part in fit, train and evaluate rounds, and every update is accepted", async () => {
  const yaml = "rounds: { minDevices: 3, quorum: 100%, overSelect: 0%, max: 2 }\n";
  const lab = new ServerLab({ runtime, yaml, features: "scale: standard" });
  const server = await lab.start();
  const receipts: string[] = [];
  const devices = ["a", "b", "c"].map((name) => {
    const { id, keys } = lab.enrol(name);
    return new LightDevice({
      ...{ device: id, keys, task: lab.task.task.task, link: lab.broker.link(), clock: lab.clock },
      random: randomStream("light", name),
      // 2-3-1: two columns in.
      ...{ params: 13, columns: 2 },
      onReceipt: ({ status }) => receipts.push(status),
    });
  });
  for (const device of devices) device.start();
  for (let turn = 0; server.status().trainRounds < 2 && turn < 500; turn++) await lab.clock.advance(1000);
  expect(server.status()).toMatchObject({ trainRounds: 2 });
  const kinds = lab.told("round-closed").map(({ kind, outcome }) => `${kind} ${outcome}`);
  expect(kinds.slice(0, 3)).toEqual(["fit completed", "train completed", "evaluate completed"]);
  expect(new Set(receipts)).toEqual(new Set(["accepted"]));
  expect(lab.told("update-rejected")).toEqual([]);
  for (const device of devices) await device.stop();
  await lab.kill();
});
