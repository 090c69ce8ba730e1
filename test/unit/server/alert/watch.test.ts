import { describe, expect, test } from "vitest";
import { AlertWatch, type FleetLook } from "../../../../server/alert/watch.js";
import { deviceId } from "../../../support/device-kit.js";

const MINUTE_MS = 60_000;

const gate = (version: number, passed: boolean) =>
  ({ type: "gate", version, passed, value: 2, reference: 1 }) as const;
const look = (minutes: number, changes: Partial<FleetLook> = {}): FleetLook => ({
  ...{ elapsedMs: minutes * MINUTE_MS, enrolled: 5, connected: 5, journalFailures: 0 },
  ...changes,
});

describe("facts", () => {
  test("the third gate that fails in a row is told, the fourth is not, and after one has passed it begins anew", () => {
    const watch = new AlertWatch();
    const heard = [1, 2, 3, 4].map((version) => watch.hear(gate(version, false))?.kind);
    expect(heard).toEqual([undefined, undefined, "gate-failing", undefined]);
    watch.hear(gate(5, true));
    expect([6, 7, 8].map((version) => watch.hear(gate(version, false))?.kind).at(-1)).toBe("gate-failing");
  });

  test("a trial is told when it is rolled back, with why; one that ends well is not", () => {
    const watch = new AlertWatch();
    const end = { type: "trial-ended", version: 7, mode: "canary", step: 1 } as const;
    expect(watch.hear({ ...end, outcome: "promoted", reasons: [] })).toBeUndefined();
    const alert = watch.hear({ ...end, outcome: "rolled-back", reasons: ["rmse 3.1 above 2"] });
    expect(alert).toMatchObject({ kind: "rolled-back", severity: "warning", subject: "7" });
    expect(alert?.text).toContain("rmse 3.1 above 2");
  });

  test("a retraining tells who asked for it", () => {
    const alert = new AlertWatch().hear({
      ...{ type: "retraining", reason: "drift", devices: 4, share: 0.4, sinceMs: 1, rounds: 10 },
    });
    expect(alert?.text).toBe("The fleet learns anew: 4 devices (40 %) drift.");
    expect(alert?.details).toMatchObject({ devices: 4, share: 0.4, rounds: 10 });
  });

  test("quarantine and a full disk are told, an ordinary refusal is not", () => {
    const watch = new AlertWatch();
    const device = deviceId("pump-1");
    expect(watch.hear({ type: "quarantined", device, reason: "drifts-alone" })?.subject).toBe("pump-1");
    const refused = { type: "update-rejected", round: 1, device, updateId: "u" as never } as const;
    expect(watch.hear({ ...refused, reason: "late" as never })).toBeUndefined();
    expect(watch.hear({ ...refused, reason: "storage-full" })?.severity).toBe("critical");
  });
});

describe("looks", () => {
  test("a fleet that is gone for ten minutes is told once, and once when it is back", () => {
    const watch = new AlertWatch();
    const gone = { connected: 0 };
    const told = [0, 9, 10, 11, 30].map((minute) => watch.look(look(minute, gone)).map(({ kind }) => kind));
    expect(told).toEqual([[], [], ["no-devices"], [], []]);
    expect(watch.look(look(31)).map(({ kind }) => kind)).toEqual(["devices-back"]);
    expect(watch.look(look(32))).toEqual([]);
  });

  test("a short absence, or a fleet nobody has enrolled in, is no news", () => {
    const watch = new AlertWatch();
    const gone = { connected: 0 };
    const looks = [look(0, gone), look(9, gone), look(9.5), look(10, gone), look(19, gone)];
    expect(looks.flatMap((each) => watch.look(each))).toEqual([]);
    const empty = new AlertWatch();
    expect([0, 60].flatMap((minute) => empty.look(look(minute, { connected: 0, enrolled: 0 })))).toEqual([]);
  });

  test("a journal that cannot be written is told when it happens again", () => {
    const watch = new AlertWatch();
    const counts = [0, 2, 2, 3].map((journalFailures) => watch.look(look(0, { journalFailures })).length);
    expect(counts).toEqual([0, 1, 0, 1]);
  });
});
