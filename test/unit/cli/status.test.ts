import { expect, test } from "vitest";
import { describeStatus } from "../../../cli/status.js";
import type { StatusView } from "../../../server/http/schema.js";

const status: StatusView = {
  ...{ task: "pumps", version: "1.2.3", startedMs: 0, nowMs: 60_000, isReady: true },
  ...{ rounds: 3, trainRounds: 2, trainRoundsMax: 9, head: 3, stable: 2, metric: "rmse", stableValue: 0.5 },
  open: {
    ...{
      round: 3,
      kind: "train",
      baseVersion: 3,
      deadlineMs: 90_000,
      target: 1,
      quorum: 1,
      isClosing: false,
    },
    members: [{ device: "pump-1", status: "assigned" }],
  },
  fleet: { enrolled: 1, connected: 1, heard: 1 },
  devices: [
    {
      ...{ device: "pump-1", isEnrolled: true, isConnected: true, seenMs: 55_000, stable: 2 },
      ...{ isEligible: false, reason: "too hot", examples: { train: 8, validation: 2 }, rejected: {} },
    },
  ],
  broker: { kind: "embedded", urls: ["mqtt://127.0.0.1:1883"], isConnected: true },
  actions: { isAvailable: false, needsToken: false },
  counters: { "update-accepted": 4 },
};

test("shows progress, the open round, its members and the devices", () => {
  const text = describeStatus(status);
  expect(text).toContain("task pumps, headwater 1.2.3, ready, mqtt://127.0.0.1:1883");
  expect(text).toContain("2 of 9 rounds, head 3, stable 2 (rmse 0.5000)");
  expect(text).toContain("round 3 (train): 0 of 1 updates, 1 members, 30 s left");
  expect(text).toMatch(/pump-1 +│ yes +│ assigned +│ 2 +│ 8 \+ 2 +│ 5 s ago +│ too hot/);
  expect(text).toContain("update-accepted: 4");
});

test("says why a device that could train declined the round", () => {
  const [{ reason: _, ...device }] = status.devices as [StatusView["devices"][number]];
  const open = {
    ...status.open!,
    members: [{ device: "pump-1", status: "declined", reason: "diverged" } as const],
  };
  const text = describeStatus({ ...status, open, devices: [{ ...device, isEligible: true }] });
  expect(text).toMatch(/declined +│ .* │ diverged/);
});

test("says when the next round opens where the task keeps rounds apart", () => {
  const { open: _, ...resting } = status;
  expect(describeStatus({ ...resting, trainFromMs: 5_460_000 })).toContain("the next one opens in 90 min");
  expect(describeStatus({ ...resting, trainFromMs: 59_000 })).toContain("no round is open\n");
});

test("what a device says cannot command the terminal", () => {
  const [device] = status.devices;
  const reason = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202etext";
  const text = describeStatus({ ...status, devices: [{ ...device!, reason }] });
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(text).toContain("text");
});

test("says that nothing is served when training ends without a version that passed", () => {
  const { stableValue: _, ...rest } = status;
  const text = describeStatus({ ...rest, stable: 0, finished: "max-rounds" });
  expect(text).toContain(
    "stable 0, finished: max-rounds; no version has passed the gate, so nothing is served",
  );
});
