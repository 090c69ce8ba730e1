// The way of each device through a round, seen from a real server.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { ServerLab } from "../../../support/server-lab.js";

let runtime: ModelRuntime;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});

afterAll(() => runtime.dispose());

async function openRound(): Promise<{ lab: ServerLab; a: Device; b: Device }> {
  const lab = new ServerLab({
    runtime,
    yaml: "rounds: { minDevices: 2, quorum: 50%, overSelect: 0%, max: 2, deadline: 10m }",
  });
  await lab.start();
  const [a, b] = [await lab.device("a"), await lab.device("b")];
  await a.hello();
  await b.hello();
  return { lab, a, b };
}
type Device = Awaited<ReturnType<ServerLab["device"]>>;

test("a device is selected, uploads and is accepted, each at its time", async () => {
  const { lab, a } = await openRound();
  const selectedMs = lab.clock.now();
  await lab.clock.advance(5_000);
  await a.contribute();
  expect(lab.server.members(1)).toMatchObject([
    { device: "a", status: "accepted", examples: 10 },
    { device: "b", status: "assigned" },
  ]);
  const [accepted] = lab.server.members(1);
  expect(accepted?.selectedMs).toBeLessThanOrEqual(selectedMs);
  expect(accepted?.uploadingMs).toBeGreaterThanOrEqual(selectedMs + 5_000);
  expect(accepted?.endedMs).toBeGreaterThanOrEqual(accepted?.uploadingMs ?? Number.NaN);
});

test("a rejection keeps its reason, also after the round and a restart", async () => {
  const { lab, a, b } = await openRound();
  const spoilt = new Float32Array(13).fill(Number.NaN);
  expect(await b.contribute({ delta: spoilt })).toMatchObject({ status: "rejected" });
  await a.contribute();
  await lab.settle(() => lab.told("round-closed").length > 0);
  const rejected = { device: "b", status: "rejected", reason: "not-finite" };
  expect(lab.server.members(1)).toMatchObject([{ device: "a", status: "accepted" }, rejected]);
  await lab.kill();
  await lab.start();
  expect(lab.server.members(1)).toMatchObject([{ device: "a", status: "accepted" }, rejected]);
});

test("who had no time to deliver is unfinished, and a round never heard of has no members", async () => {
  const { lab, a } = await openRound();
  await a.contribute();
  await lab.clock.advance(700_000);
  await lab.settle(() => lab.told("round-closed").length > 0);
  expect(lab.server.members(1).map(({ status }) => status)).not.toContain("assigned");
  expect(lab.server.members(99)).toEqual([]);
});

test("bytes are counted by device, both ways, and whoever watches is told of changes until it lets go", async () => {
  const { lab, a } = await openRound();
  let told = 0;
  const stop = lab.server.watch(() => {
    told += 1;
  });
  await a.contribute();
  const [seen] = lab.server.status().devices;
  expect(seen?.bytesUp).toBeGreaterThan(100);
  expect(seen?.bytesDown).toBeGreaterThan(100);
  expect(told).toBeGreaterThan(0);
  stop();
  const before = told;
  await a.hello();
  expect(told).toBe(before);
});
