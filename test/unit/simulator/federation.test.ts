import { describe, expect, test } from "vitest";
import type { DeviceFact } from "../../../device/fact.js";
import type { ServerFact } from "../../../server/fact.js";
import { createFederation, type Federation } from "../../../simulator/federation.js";
import { deviceId } from "../../support/device-kit.js";
import { linearReadings, linearTask } from "../../support/linear-task.js";
import { testEngines } from "../../support/test-engines.js";

const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const [a, b] = [deviceId("a"), deviceId("b")];

const engines = testEngines();

interface Observed {
  readonly federation: Federation;
  readonly server: ServerFact[];
  readonly devices: (readonly [device: string, fact: DeviceFact])[];
}

async function start(): Promise<Observed> {
  const server: ServerFact[] = [];
  const devices: (readonly [device: string, fact: DeviceFact])[] = [];
  const federation = await createFederation({
    ...engines,
    task: linearTask({ rounds: "max: 2, minDevices: 2" }),
    devices: [a, b],
    seed: "1",
    startMs: START_MS,
    observeServer: (fact) => server.push(fact),
    observeDevice: (device, fact) => devices.push([device, fact]),
  });
  return { federation, server, devices };
}

async function feed({ federation, devices }: Observed): Promise<void> {
  const adopted = () => devices.filter(([, { type }]) => type === "task-adopted").length;
  await federation.run({ until: () => adopted() >= 2, horizonMs: START_MS + HOUR_MS });
  for (const [device, agent] of federation.agents) {
    await federation.during(agent.ingest(linearReadings(device, 60)));
    await federation.during(agent.endOfData());
  }
}

function has(facts: readonly { readonly type: string }[], type: string): boolean {
  return facts.some((fact) => fact.type === type);
}

test("a federation runs its rounds and says so", async () => {
  const observed = await start();
  await feed(observed);
  const { federation, server } = observed;
  const end = await federation.run({
    until: () => has(server, "finished"),
    horizonMs: START_MS + HOUR_MS,
  });
  expect(end).toBe("until");
  expect(federation.server.status().trainRounds).toBe(2);
  expect(federation.traffic.up).toBeGreaterThan(0);
  await federation.close();
});

describe("crashes", () => {
  test("a party that is down is not there, and comes back with its disk", async () => {
    const observed = await start();
    await feed(observed);
    const { federation, server } = observed;
    await federation.run({ until: () => has(server, "update-accepted") });
    federation.restart(a, 5000);
    federation.restart("server", 10_000);
    expect([...federation.agents.keys()]).toEqual([b]);
    expect(() => federation.server).toThrow("the server is down");
    await federation.run({ until: () => has(server, "finished"), horizonMs: START_MS + HOUR_MS });
    expect(federation.server.status()).toMatchObject({ finished: "max-rounds", trainRounds: 2 });
    expect([...federation.agents.keys()]).toEqual([a, b]);
    await federation.close();
  });

  test("nothing of a dead process is heard any more", async () => {
    const observed = await start();
    await feed(observed);
    const { federation, server, devices } = observed;
    await federation.run({ until: () => devices.some(([, { type }]) => type === "training") });
    for (const party of ["server", a, b] as const) federation.party(party).crash();
    const before = [server.length, devices.length];
    await federation.run({ horizonMs: federation.clock.now() + HOUR_MS });
    expect([server.length, devices.length]).toEqual(before);
    await federation.close();
  });
});
