import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faultOf, type Verdict } from "../../../shared/lineage/record.js";
import type { ModelRuntime } from "../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../shared/model/tfjs.js";
import { verifyRelease } from "../../../shared/wire/signature.js";
import { isInTrial } from "../../../shared/wire/trial.js";
import { reportOf, sideOf, sumsOf } from "../../support/device-report.js";
import { type HandDevice, ServerLab, scoreOf, serverKeys } from "../../support/server-lab.js";

const MINUTE_MS = 60_000;

let runtime: ModelRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

const canary = `
rounds: { minDevices: 3, quorum: 60%, deadline: 10m, lease: 4m, max: 8 }
rollout: { canary: { steps: [1, 50%], soak: 1m, rows: 10 }, guard: { check: 30s, failures: 2, silent: 2m } }
`;

/** A fleet of three with version 2 stable, and version 3 just through the gate. */
class Fleet {
  readonly lab = new ServerLab({ runtime, yaml: canary });
  readonly devices: HandDevice[] = [];

  async start(): Promise<this> {
    await this.lab.start();
    for (const name of ["a", "b", "c"]) this.devices.push(await this.lab.device(name));
    for (const device of this.devices) await device.hello();
    await this.train(1);
    await this.train(0.5);
    await this.lab.clock.until(() => this.release?.trial != null);
    return this;
  }

  get release() {
    return this.devices[0]?.release;
  }

  /** A train round, and an evaluate round in which every row is off by `error`. */
  async train(error: number): Promise<void> {
    for (const device of this.devices) await device.contribute();
    for (const device of this.devices) {
      await device.upload(
        await device.update(await device.offered(), { header: { evaluate: scoreOf(10, error) } }),
      );
    }
  }

  inTrial(): HandDevice[] {
    const trial = this.release?.trial;
    return this.devices.filter(({ id }) => trial != null && isInTrial(trial, id, {}));
  }

  /** The devices in trial report that its rows are off by so much, and stable's by 1. */
  async report(error: number): Promise<void> {
    const version = this.release!.trial!.manifest.version;
    const { stable } = this.release!;
    for (const device of this.inTrial()) {
      const serving = sideOf(version, sumsOf(20, error));
      await device.send("report", reportOf({ serving, beside: sideOf(stable.version, sumsOf(20, 1)) }));
    }
  }
}

/** As signed. */
function verdictOn(version: number, { server }: ServerLab): Verdict | undefined {
  const verdict = server.lineage(version, 1)[0]?.verdict;
  return verdict && faultOf(server.publicKey, verdict) === undefined ? verdict.record : undefined;
}

describe("a version that has passed the gate", () => {
  test("is served by one device, then by more, then by all, as long as it does well there", async () => {
    const fleet = await new Fleet().start();
    const { release, lab } = fleet;
    expect(release).toMatchObject({
      stable: { version: 2 },
      trial: { manifest: { version: 3 }, mode: "canary" },
    });
    expect(verifyRelease(serverKeys.publicKey, release!, release!.signature)).toBe(true);
    expect(fleet.inTrial()).toHaveLength(1);
    const first = release!.sequence;
    await fleet.report(0.9);
    await lab.clock.until(() => fleet.release!.sequence > first);
    expect(fleet.inTrial().length).toBeGreaterThanOrEqual(2);
    await fleet.report(0.9);
    await lab.clock.advance(2 * MINUTE_MS);
    await lab.clock.until(() => fleet.release?.trial === null);
    expect(fleet.release).toMatchObject({ stable: { version: 3 } });
    expect(lab.told("trial-ended")).toMatchObject([{ version: 3, outcome: "promoted", reasons: [] }]);
    expect(verdictOn(3, lab)).toMatchObject({ passed: true, trial: { mode: "canary", outcome: "promoted" } });
    expect(lab.server.status()).toMatchObject({ stable: 3, previous: 2, trial: undefined });
  });

  test("is taken back when it does worse there, and head leaves its line", async () => {
    const fleet = await new Fleet().start();
    const { lab } = fleet;
    await fleet.report(1.5);
    await lab.clock.advance(2 * MINUTE_MS);
    await lab.clock.until(() => fleet.release?.trial === null);
    expect(fleet.release).toMatchObject({ stable: { version: 2 } });
    expect(lab.told("trial-ended")).toMatchObject([
      { version: 3, outcome: "rolled-back", reasons: ["rmse: 50.0% worse than stable on 1 of 1 devices"] },
    ]);
    expect(verdictOn(3, lab)).toMatchObject({
      ...{ passed: true, evaluation: { devices: 3 } },
      trial: { outcome: "rolled-back", reasons: ["rmse: 50.0% worse than stable on 1 of 1 devices"] },
    });
  });

  test("is taken back at once when it does not work there, and says why", async () => {
    const fleet = await new Fleet().start();
    const { lab } = fleet;
    const [canary] = fleet.inTrial();
    const failures = [{ version: 3, reason: "wrong-shape", detail: "" }];
    const before = lab.clock.now();
    await canary!.send("report", reportOf({ serving: sideOf(2), failed: [3], failures }));
    await lab.clock.until(() => fleet.release?.trial === null);
    // Not with the next check.
    expect(lab.clock.now() - before).toBeLessThan(20_000);
    expect(lab.told("trial-failed")).toEqual([
      { type: "trial-failed", version: 3, device: canary!.id, reason: "wrong-shape", detail: "" },
    ]);
    const reasons = [`failed-on-device: 1 of 1 (${canary!.id}: wrong-shape)`];
    expect(lab.told("trial-ended")).toMatchObject([{ outcome: "rolled-back", reasons }]);
    expect(verdictOn(3, lab)).toMatchObject({ trial: { reasons } });
  });

  test("is taken back when its devices say nothing", async () => {
    const fleet = await new Fleet().start();
    await fleet.lab.clock.advance(5 * MINUTE_MS);
    await fleet.lab.clock.until(() => fleet.release?.trial === null);
    expect(fleet.release).toMatchObject({ stable: { version: 2 } });
    expect(fleet.lab.told("trial-ended")[0]?.reasons).toContain(
      "too-few-rows: 0 of 1 devices have their share of 10; 0 in all",
    );
  });

  test("is on trial still after a restart of the server", async () => {
    const fleet = await new Fleet().start();
    const { release, lab } = fleet;
    await lab.kill();
    await lab.start();
    await fleet.report(1.5);
    await lab.clock.advance(2 * MINUTE_MS);
    await lab.clock.until(() => fleet.release?.trial === null);
    expect(fleet.release!.sequence).toBeGreaterThan(release!.sequence);
  });
});

test("a version that has gone from the database ends its trial, counted, and stable is told", async () => {
  const fleet = await new Fleet().start();
  const { lab } = fleet;
  await lab.kill();
  lab.database.run("DELETE FROM versions WHERE version = 3");
  await lab.start();
  await lab.clock.until(() => lab.told("trial-ended").length > 0);
  expect(lab.told("trial-ended")).toMatchObject([{ version: 3, reasons: ["version-missing"] }]);
  await lab.clock.until(() => fleet.release?.trial === null);
  expect(fleet.release).toMatchObject({ stable: { version: 2 } });
  expect(lab.server.status().counters["releases.version-missing"]).toBe(1);
});

describe("an operator", () => {
  test("promotes what is on trial, and takes it back", async () => {
    const { lab, devices } = await new Fleet().start();
    const { server } = lab;
    expect(await server.promote(99)).toEqual({ ok: false, reason: "version 99 is not kept" });
    expect(await server.promote(3)).toEqual({ ok: true });
    expect(await server.promote(3)).toEqual({ ok: false, reason: "version 3 is served already" });
    await lab.clock.until(() => devices[0]?.release?.stable.version === 3);
    expect(await server.rollBack()).toEqual({ ok: true });
    await lab.clock.until(() => devices[0]?.release?.stable.version === 2);
    expect(server.status()).toMatchObject({ stable: 2, previous: 3 });
  });

  test("ends a trial", async () => {
    const fleet = await new Fleet().start();
    expect(await fleet.lab.server.rollBack()).toEqual({ ok: true });
    await fleet.lab.clock.until(() => fleet.release?.trial === null);
    expect(fleet.lab.told("trial-ended")).toMatchObject([{ outcome: "rolled-back", reasons: ["operator"] }]);
  });
});
