// The dashboard's thinking, without a browser.

import { describe, expect, test } from "vitest";
import { candidatesInOrder } from "../../../../server/dashboard/candidates.js";
import { filterDevices } from "../../../../server/dashboard/device-filter.js";
import { bytes, digits, micros, number, span } from "../../../../server/dashboard/format.js";
import { lineage } from "../../../../server/dashboard/lineage.js";
import type { LiveState } from "../../../../server/dashboard/live-state.js";
import { assess } from "../../../../server/dashboard/wellness.js";
import type { DeviceView, ModelView, RoundView } from "../../../../server/http/schema.js";

function device(name: string, more: Partial<DeviceView> = {}): DeviceView {
  return {
    ...{ device: name, isEnrolled: true, isConnected: true, seenMs: 1, isEligible: true },
    ...{ examples: { train: 1, validation: 1 }, rejected: {}, ...more },
  };
}

function round(number: number, outcome: RoundView["outcome"], more: Partial<RoundView> = {}): RoundView {
  return { round: number, kind: "train", baseVersion: 1, outcome, ...more };
}

function model(version: number, parent: number): ModelView {
  return {
    ...{ version, parent, sha256: "", bytes: 1, fingerprint: "", modelSignature: "" },
    ...{ createdMs: 0, expiresMs: 0, isHead: false, isStable: false, aliases: [] },
  };
}

function picture(more: Partial<LiveState> = {}, status: Partial<LiveState["status"]> = {}): LiveState {
  const devices = more.devices ?? [device("a")];
  return {
    status: {
      ...{ task: "t", version: "1", startedMs: 0, nowMs: 60_000, isReady: true, rounds: 3, trainRounds: 1 },
      ...{ trainRoundsMax: 9, head: 1, stable: 1, metric: "rmse", counters: {} },
      fleet: { enrolled: devices.length, connected: 1, heard: devices.length },
      broker: { kind: "embedded", urls: [], isConnected: true },
      actions: { isAvailable: false, needsToken: false },
      ...status,
    },
    ...{ devices, rounds: [round(1, "completed")], models: [], members: [] },
    ...more,
  };
}

describe("is my fleet well", () => {
  test("yes, when nothing says otherwise", () => {
    expect(assess(picture())).toMatchObject({ tone: "good", concerns: [] });
  });

  test("a server that cannot serve comes before all else", () => {
    const rounds = [round(2, "completed", { rejected: 1 })];
    const { tone, concerns } = assess(
      picture({ rounds }, { isReady: false, notReady: "the broker is away" }),
    );
    expect(tone).toBe("bad");
    expect(concerns.map(({ text }) => text)).toEqual([
      "Devices cannot be served: the broker is away.",
      "1 update refused in the last 10 rounds.",
    ]);
  });

  test("one round without a quorum is a warning, three in a row are trouble, older ones are history", () => {
    const abandoned = [3, 2, 1].map((each) => round(each, "abandoned"));
    expect(assess(picture({ rounds: abandoned.slice(2) })).tone).toBe("warn");
    expect(assess(picture({ rounds: abandoned })).tone).toBe("bad");
    expect(assess(picture({ rounds: [round(4, "completed"), ...abandoned] })).tone).toBe("good");
  });

  test("one lost device of twenty is no news, half the fleet is", () => {
    const fleet = (lost: number) =>
      Array.from({ length: 20 }, (_, at) => device(`d${at}`, { isConnected: at >= lost }));
    expect(assess(picture({ devices: fleet(1) })).tone).toBe("good");
    expect(assess(picture({ devices: fleet(3) })).tone).toBe("warn");
    expect(assess(picture({ devices: fleet(10) })).tone).toBe("bad");
  });
});

test("a device left out of rounds and a trial that fails its checks are told, and a fleet that learns anew says so", () => {
  const devices = [device("a", { quarantined: "drift" }), device("b")];
  const trial = { version: 7, mode: "canary", step: 1, steps: 2, sinceMs: 0, note: "1 of 3 checks" } as const;
  const { headline, concerns } = assess(picture({ devices }, { trial, retrainUntil: 25 }));
  expect(headline).toBe("The fleet works, and learns anew.");
  expect(concerns.map(({ text }) => text)).toEqual([
    "1 device left out of rounds.",
    "Version 7 on trial: 1 of 3 checks.",
  ]);
});

test("of candidates the selected one comes first, then those that are in, then those that came furthest", () => {
  const candidate = (
    name: string,
    rungs: number,
    more: { readonly out?: string; readonly gap?: number } = {},
  ) => ({
    ...{ name, parameters: 1, bytes: 4, version: 1, rounds: 5, ...(more.out && { out: more.out }) },
    comparisons: Array.from({ length: rungs }, (_, at) => ({
      ...{ rung: at + 1, rounds: 5, version: 1, devices: 2, rows: 9 },
      ...(more.gap && { behind: { mean: more.gap, low: 0, high: 1 } }),
    })),
  });
  const out = "rmse 2 against 1";
  const all = [
    candidate("early", 1, { out, gap: 0.1 }),
    candidate("late-worse", 2, { out, gap: 0.3 }),
    candidate("late", 2, { out, gap: 0.2 }),
    candidate("best", 2),
  ];
  const order = (winner?: string) =>
    candidatesInOrder({
      ...{
        metric: "rmse",
        rungs: [5, 15],
        rung: 2,
        candidates: all,
        excluded: [],
        ...(winner && { winner }),
      },
    }).map(({ name }) => name);
  expect(order("best")).toEqual(["best", "late", "late-worse", "early"]);
  expect(order()).toEqual(["best", "late", "late-worse", "early"]);
});

test("every word of a search must fit, in the name or in a label", () => {
  const devices = [
    device("pump-1", { labels: { site: "lab" } }),
    device("pump-2", { isConnected: false, stable: 4 }),
  ];
  const found = (wish: Partial<Parameters<typeof filterDevices>[1]>) =>
    filterDevices(devices, { text: "", show: "all", version: "", ...wish }).map(({ device: name }) => name);
  expect(found({ text: "PUMP site=lab" })).toEqual(["pump-1"]);
  expect(found({ text: "pump lab-2" })).toEqual([]);
  expect(found({ show: "away" })).toEqual(["pump-2"]);
  expect(found({ version: "4" })).toEqual(["pump-2"]);
});

test("versions stand above their parents, the newest line on top, forks deeper, and none is lost with its parent", () => {
  const rows = lineage([model(5, 2), model(4, 3), model(3, 2), model(2, 1)]);
  expect(rows.map(({ model: { version }, depth }) => [version, depth])).toEqual([
    [5, 0],
    [4, 1],
    [3, 1],
    [2, 0],
  ]);
});

test("numbers are short, and no line ends before their unit", () => {
  const sizes = [bytes(0), bytes(1023), bytes(1536), bytes(undefined)];
  expect(sizes).toEqual(["0\u00a0B", "1023\u00a0B", "1.50\u00a0KiB", "–"]);
  const spans = [span(-5), span(950), span(1_500), span(95_000), span(7_300_000)];
  expect(spans).toEqual(["0\u00a0ms", "950\u00a0ms", "1.5\u00a0s", "95\u00a0s", "2\u00a0h"]);
  expect([digits(1.5), digits(0.05, 2), digits(123456)]).toEqual(["1.500", "0.050", "123,456"]);
  expect([micros(70.66), micros(1_630), micros(undefined)]).toEqual(["70.7\u00a0µs", "1.63\u00a0ms", "–"]);
  expect([number(0.123456), number(1234), number(undefined)]).toEqual(["0.1235", "1,234", "–"]);
});
