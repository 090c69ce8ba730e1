// What a whole device serves, from the first version it hears of to the one it is left with.

import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import type { BenchDevice } from "../support/device-kit.js";
import { deviceLab } from "../support/device-lab.js";
import { linearReadings } from "../support/linear-task.js";

const lab = deviceLab();

beforeEach(() => lab.server.retainTask());

describe("the served model", () => {
  const serving = (pump: BenchDevice) => pump.of("serving").map(({ version }) => version);

  test("predicts every new row, each with the version served at that moment", async () => {
    const pump = await lab.ready();
    const params = Float32Array.of(1, 10, 100);
    const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 5, factor: 0.5 } };
    await lab.server.retainStable(await lab.version(1, { params, scaler }));
    await lab.clock.until(() => pump.of("serving").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 102, Date.UTC(2026, 0, 2)));
    await lab.server.retainStable(await lab.version(2));
    await lab.clock.until(() => pump.of("serving").length > 1);
    await pump.agent.ingest(linearReadings("pump-1", 50, Date.UTC(2026, 0, 3)));
    const predictions = pump.of("prediction");
    expect(predictions.slice(0, 102).every(({ version }) => version === 1)).toBe(true);
    expect(predictions.slice(102).every(({ version }) => version === 2)).toBe(true);
    const { a, b } = linearReadings("pump-1", 1)[0]!.values;
    expect(predictions[0]?.value).toBeCloseTo((Number(a) + 10 * Number(b) + 100) / 0.5 + 5, 2);
    expect(pump.agent.predictions({ limit: 1 }).predictions[0]).toMatchObject({
      version: 2,
      entity: "pump-1",
    });
  });

  test("is never replaced by an older, expired, unfitting or broken one", async () => {
    const pump = await lab.ready();
    const good = await lab.version(5);
    await lab.server.retainStable(good);
    await lab.clock.until(() => pump.of("serving").length > 0);
    await lab.server.retainStable(await lab.version(4));
    await lab.server.retainStable(await lab.version(6, { expiresMs: lab.clock.now() }));
    await lab.clock.advance(1000);
    const modelSignature = "0".repeat(64);
    await lab.server.retainStable(await lab.version(7, { modelSignature }));
    await lab.clock.advance(1000);
    const params = new Float32Array(3).fill(Number.NaN);
    await lab.server.retainStable(await lab.version(8, { params }));
    await lab.clock.advance(1000);
    const huge = new Float32Array(3).fill(3e38);
    await lab.server.retainStable(await lab.version(9, { params: huge }));
    await lab.clock.advance(1000);
    expect(serving(pump)).toEqual([5]);
    expect(pump.of("model-rejected").map(({ version, reason }) => [version, reason])).toEqual([
      [6, "expired"],
      [7, "wrong-task"],
      [8, "not-finite"],
      [9, "self-check"],
    ]);
  });

  test("is fetched again when its blob arrives corrupt", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    const blob = lab.server.blob(manifest.sha256)!;
    lab.server.setBlob(manifest.sha256, new Uint8Array(blob.length));
    await lab.server.retainStable(manifest);
    await lab.clock.until(() => pump.agent.counters.get("downloads.corrupt") > 0);
    lab.server.setBlob(manifest.sha256, blob);
    await lab.clock.until(() => serving(pump).length > 0);
    expect(serving(pump)).toEqual([1]);
  });

  test("serves from disk before there is a network", async () => {
    const pump = await lab.ready();
    await lab.server.retainStable(await lab.version(3));
    await lab.clock.until(() => pump.of("serving").length > 0);
    pump.kill();
    const offline = lab.device({ disk: pump.disk, broker: createMemoryBroker({ clock: lab.clock }) });
    await offline.agent.start();
    await offline.agent.ingest(linearReadings("pump-1", 10, Date.UTC(2026, 0, 2)));
    expect(serving(offline)).toEqual([3]);
    expect(offline.of("prediction")).toHaveLength(10);
    expect(offline.agent.status().isConnected).toBe(false);
  });

  test("gives way to the one before when it no longer reads from disk", async () => {
    const pump = await lab.ready();
    for (const version of [1, 2]) {
      await lab.server.retainStable(await lab.version(version));
      await lab.clock.until(() => pump.of("serving").length === version);
    }
    const broken = `UPDATE blob SET content = x'00' WHERE sha256 = (SELECT sha256 FROM model WHERE role = 'stable')`;
    pump.disk.state.run(broken);
    pump.kill();
    const next = lab.device({ disk: pump.disk, broker: createMemoryBroker({ clock: lab.clock }) });
    await next.agent.start();
    expect(serving(next)).toEqual([1]);
  });
});
