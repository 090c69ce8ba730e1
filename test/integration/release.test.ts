// A whole device and the releases of a scripted server: trials taken up, taken back, failed; and every state over a restart.

import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import type { BenchDevice } from "../support/device-kit.js";
import { type DeviceOptions, deviceLab } from "../support/device-lab.js";
import { linearReadings } from "../support/linear-task.js";
import { type ScriptedServer, trialOf } from "../support/scripted-server.js";

const MINUTE_MS = 60_000;

const lab = deviceLab();

beforeEach(() => lab.server.retainTask());

const version = (number: number, params = Float32Array.of(number, 0, 0)) => lab.version(number, { params });

async function started(options?: DeviceOptions): Promise<BenchDevice> {
  const pump = await lab.adopted(options);
  await settled();
  return pump;
}

const settled = () => lab.clock.advance(2_000);

/** The server's next word, and time enough for a device to follow it. */
async function release(parts: Parameters<ScriptedServer["retainRelease"]>[0]): Promise<void> {
  await lab.server.retainRelease(parts);
  await settled();
}

/** A device that serves version 2 in a canary, with version 1 beside it. */
async function inCanary(agent: NonNullable<DeviceOptions["agent"]> = {}): Promise<BenchDevice> {
  const pump = await started({ agent });
  const [stable, candidate] = [await version(1), await version(2)];
  await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
  return pump;
}

/** The next process on the same disk. */
async function restarted(pump: BenchDevice): Promise<BenchDevice> {
  pump.kill();
  return started({ disk: pump.disk });
}

/** A process without any network. */
async function offline(pump: BenchDevice): Promise<BenchDevice> {
  pump.kill();
  return started({ disk: pump.disk, broker: createMemoryBroker({ clock: lab.clock }) });
}

const followed = (pump: BenchDevice) => {
  const { serving, beside } = pump.of("release-followed").at(-1)!;
  return { serving, beside };
};

async function predicted(pump: BenchDevice): Promise<readonly number[]> {
  const before = pump.of("prediction").length;
  await pump.agent.ingest(linearReadings("pump-1", 3, lab.clock.now()));
  lab.clock.set(lab.clock.now() + MINUTE_MS);
  return pump
    .of("prediction")
    .slice(before)
    .map(({ version }) => version);
}

describe("a canary", () => {
  test("is served by a device that is in, with stable beside it", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 1, stable, trial: null });
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
    expect(await predicted(pump)).toEqual([2, 2, 2]);
  });

  test("is neither fetched nor served by a device that is out: by share, or by its labels", async () => {
    const [stable, candidate] = [await version(1), await version(2)];
    const pump = await started({ agent: { labels: { site: "field" } } });
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary", { below: 0 }) });
    const labels = { site: "lab" };
    await release({ sequence: 3, stable, trial: trialOf(candidate, "canary", { labels }) });
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
    expect(lab.server.of("get").filter(({ sha256 }) => sha256 === candidate.sha256)).toEqual([]);
  });

  test("is for the devices with its labels", async () => {
    const [stable, candidate] = [await version(1), await version(2)];
    const labels = { site: "lab" };
    const pump = await started({ agent: { labels: { ...labels, line: "3" } } });
    await release({ sequence: 3, stable, trial: trialOf(candidate, "canary", { labels }) });
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
  });

  test("that is taken back is gone at once, without a download", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    const gets = lab.server.of("get").length;
    lab.server.onGet = () => false;
    await lab.server.retainRelease({ sequence: 3, stable, trial: null });
    await lab.clock.until(() => followed(pump).serving === 1, 1);
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
    expect(await predicted(pump)).toEqual([1, 1, 1]);
    expect(lab.server.of("get")).toHaveLength(gets);
  });

  test("that becomes stable goes on being served, without a download", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    lab.server.onGet = () => false;
    await release({ sequence: 3, stable: candidate, trial: null });
    expect(followed(pump)).toEqual({ serving: 2, beside: null });
    expect(pump.of("serving").map(({ version }) => version)).toEqual([1, 2]);
  });

  test("taken back while a newer stable version is on its way: the old one is served meanwhile", async () => {
    const pump = await started();
    const [stable, candidate, next] = [await version(1), await version(2), await version(3)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    lab.server.onGet = () => false;
    await release({ sequence: 3, stable: next, trial: null });
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
    lab.server.onGet = () => true;
    await lab.clock.until(() => followed(pump).serving === 3, 10 * MINUTE_MS);
  });
});

describe("a shadow", () => {
  test("is scored beside stable, becomes a canary without a download, and goes", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "shadow") });
    expect(followed(pump)).toEqual({ serving: 1, beside: 2 });
    expect(await predicted(pump)).toEqual([1, 1, 1]);
    lab.server.onGet = () => false;
    await release({ sequence: 3, stable, trial: trialOf(candidate, "canary") });
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
    await release({ sequence: 4, stable, trial: null });
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
  });
});

describe("order", () => {
  test("is by sequence: an older release replayed counts for nothing, also after a restart", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 5, stable, trial: trialOf(candidate, "canary") });
    await release({ sequence: 6, stable, trial: null });
    await release({ sequence: 5, stable, trial: trialOf(candidate, "canary") });
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
    expect(pump.agent.counters.get("releases.old")).toBe(1);
    const next = await restarted(pump);
    expect(followed(next)).toEqual({ serving: 1, beside: null });
    expect(next.agent.counters.get("releases.old")).toBeGreaterThan(0);
  });

  test("lets stable go back to an older version", async () => {
    const pump = await started();
    const [old, newer] = [await version(1), await version(2)];
    await release({ sequence: 1, stable: old, trial: null });
    await release({ sequence: 2, stable: newer, trial: null });
    lab.server.onGet = () => false;
    await release({ sequence: 3, stable: old, trial: null });
    // The one before is still at hand.
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
  });
});

describe("over a restart without a network", () => {
  const states = {
    "stable alone": { mode: undefined, expected: { serving: 1, beside: null } },
    "a shadow": { mode: "shadow", expected: { serving: 1, beside: 2 } },
    "a canary": { mode: "canary", expected: { serving: 2, beside: 1 } },
  } as const;

  test.each(Object.entries(states))("%s is what it was", async (_name, { mode, expected }) => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    const given = mode === undefined ? null : trialOf(candidate, mode);
    await release({ sequence: 2, stable, trial: given });
    const next = await offline(pump);
    expect(followed(next)).toEqual(expected);
    expect(await predicted(next)).toEqual(Array(3).fill(expected.serving));
  });

  test("nothing is written for it: what is followed is on disk already", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "shadow") });
    // Until the version has proven itself, every start is noted.
    await lab.clock.advance(11 * MINUTE_MS);
    const written = () => pump.disk.state.get("SELECT total_changes() AS rows")?.rows;
    const before = written();
    const next = await restarted(await offline(pump));
    expect(followed(next)).toEqual({ serving: 1, beside: 2 });
    expect(written()).toBe(before);
  });

  test("a canary that was taken back stays so", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2)];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    await release({ sequence: 3, stable, trial: null });
    expect(followed(await offline(pump))).toEqual({ serving: 1, beside: null });
  });
});

describe("a version that does not work here", () => {
  const huge = Float32Array.of(3e38, 3e38, 3e38);

  test("is taken back by the device alone, reported as failed, and not taken up again after a restart", async () => {
    const pump = await started();
    // Finite on rows of zeros, infinite on rows as they are.
    const [stable, candidate] = [await version(1), await version(2, Float32Array.of(3e38, 3e38, 0))];
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
    const far = linearReadings("pump-1", 40).map((reading) => ({
      ...reading,
      values: { a: 1e9, b: 1e9, y: 0 },
    }));
    for (const reading of far) await pump.agent.ingest([reading]);
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
    expect(pump.of("version-failed")).toEqual([{ type: "version-failed", version: 2, reason: "not-finite" }]);
    const next = await restarted(pump);
    expect(followed(next)).toEqual({ serving: 1, beside: null });
    // Named in another trial: still not. Named stable by a later release: it gets another chance.
    await release({ sequence: 3, stable, trial: trialOf(candidate, "shadow") });
    expect(followed(next)).toEqual({ serving: 1, beside: null });
  });

  test("gets another chance when a later release calls it stable", async () => {
    const pump = await started();
    const [stable, candidate] = [await version(1), await version(2, huge)];
    await pump.agent.ingest(linearReadings("pump-1", 40));
    await release({ sequence: 2, stable, trial: trialOf(candidate, "canary") });
    expect(pump.of("model-rejected")).toMatchObject([{ version: 2, reason: "self-check" }]);
    await release({ sequence: 3, stable, trial: trialOf(candidate, "canary") });
    expect(pump.of("model-rejected")).toHaveLength(1);
    await release({ sequence: 4, stable: candidate, trial: null });
    expect(pump.of("model-rejected")).toHaveLength(2);
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
  });
});

describe("a process that dies soon after a version was taken up", () => {
  test("lays it at the version's door the second time", async () => {
    const pump = await inCanary();
    const second = await restarted(pump);
    expect(followed(second)).toEqual({ serving: 2, beside: 1 });
    const third = await restarted(second);
    expect(third.of("version-failed")).toEqual([
      { type: "version-failed", version: 2, reason: "crash-loop" },
    ]);
    expect(followed(third)).toEqual({ serving: 1, beside: null });
    expect(await predicted(third)).toEqual([1, 1, 1]);
  });

  /** The machine loses its power and starts again, so many times within ten minutes. */
  async function rebooted(pump: BenchDevice, times: number, name = "boot"): Promise<BenchDevice> {
    let device = pump;
    for (let i = 1; i <= times; i++) device = await restartedAs(device, `${name} ${i}`);
    return device;
  }

  async function restartedAs(pump: BenchDevice, boot: string): Promise<BenchDevice> {
    pump.kill();
    return started({ disk: pump.disk, agent: { boot } });
  }

  test("does not, when the machine died with it: five power cuts are none of the version's doing", async () => {
    const pump = await rebooted(await inCanary({ boot: "boot" }), 5);
    expect(pump.of("version-failed")).toEqual([]);
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
  });

  test("does at the sixth: a version can bring a machine to a halt as well", async () => {
    const pump = await rebooted(await inCanary({ boot: "boot" }), 6);
    expect(pump.of("version-failed")).toMatchObject([{ version: 2, reason: "crash-loop" }]);
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
  });

  test("does the second time it dies alone, whatever the power did in between", async () => {
    const first = await rebooted(await inCanary({ boot: "boot" }), 1);
    const second = await restartedAs(first, "boot 1");
    expect(followed(second)).toEqual({ serving: 2, beside: 1 });
    const third = await rebooted(second, 2, "later");
    expect(followed(third)).toEqual({ serving: 2, beside: 1 });
    const fourth = await restartedAs(third, "later 2");
    expect(fourth.of("version-failed")).toMatchObject([{ version: 2, reason: "crash-loop" }]);
  });

  test("lets a stable version try again after an hour: power cuts kill processes as well", async () => {
    const pump = await started();
    const [old, stable] = [await version(1), await version(2)];
    await release({ sequence: 1, stable: old, trial: null });
    await release({ sequence: 2, stable, trial: null });
    const third = await restarted(await restarted(pump));
    expect(followed(third)).toEqual({ serving: 1, beside: null });
    await lab.clock.advance(50 * MINUTE_MS);
    const fourth = await restarted(third);
    expect(followed(fourth)).toEqual({ serving: 1, beside: null });
    await lab.clock.advance(11 * MINUTE_MS);
    expect(followed(fourth)).toEqual({ serving: 2, beside: null });
  });

  test("does not, when the process was told to stop", async () => {
    let pump = await inCanary();
    for (let i = 0; i < 3; i++) {
      await lab.clock.settle(pump.agent.stop());
      pump = await started({ disk: pump.disk });
    }
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
  });

  test("does not, once the version has run for ten minutes", async () => {
    let pump = await inCanary();
    await lab.clock.advance(11 * MINUTE_MS);
    for (let i = 0; i < 3; i++) pump = await restarted(pump);
    expect(followed(pump)).toEqual({ serving: 2, beside: 1 });
  });

  test("keeps a version that there is nothing to fall back from", async () => {
    let pump = await started();
    await release({ sequence: 1, stable: await version(1), trial: null });
    for (let i = 0; i < 3; i++) pump = await restarted(pump);
    expect(followed(pump)).toEqual({ serving: 1, beside: null });
  });
});
