import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceId, UpdateId } from "../../../shared/id.js";
import type { MetricSums } from "../../../shared/model/metric.js";
import { QuantileSketch } from "../../../shared/pipeline/quantile.js";
import { summarise } from "../../../shared/pipeline/quantile-summary.js";
import { identityScaler, Story, sums } from "../../support/checker-story.js";
import { deviceId } from "../../support/device-kit.js";
import { linearTask } from "../../support/linear-task.js";

const A = deviceId("device-a");
const B = deviceId("device-b");

let story: Story;

beforeEach(() => {
  story = new Story();
});

afterEach(() => story.journal.destroy());

describe("updates", () => {
  test("a round whose version is its base and the weighted mean of its updates is right", () => {
    story.version(1, [10, 20]);
    const a = story.accept(A, 1, { examples: 10, delta: 1 });
    const b = story.accept(B, 1, { examples: 30, delta: 2 });
    story.forgetUpdates();
    story.version(2, [11.75, 21.75]);
    story.closed(1, "train", "completed", [
      [A, a],
      [B, b],
    ]);
    story.told(A, a, "accepted");
    story.event();
    expect(story.violations).toEqual([]);
  });

  test("an update that has been folded twice is found, though the facts say once", () => {
    story.version(1, [10, 20]);
    const a = story.accept(A, 1, { delta: 1 });
    const b = story.accept(B, 1, { delta: 4 });
    story.forgetUpdates();
    story.version(2, [12, 22]);
    story.closed(1, "train", "completed", [
      [A, a],
      [B, b],
    ]);
    expect(story.violations).toEqual(["version 2 is not what the 2 updates of round 1 come to"]);
  });

  test("an accepted update that is not folded when its round completes is found", () => {
    const a = story.accept(A, 1);
    story.accept(B, 1, { delta: 2 });
    story.closed(1, "train", "completed", [[A, a]]);
    expect(story.violations[0]).toMatch(/^round 1 has accepted 2 updates and folded/);
  });

  test("an update that is folded twice by the server's own word is found", () => {
    const a = story.accept(A, 1);
    story.closed(1, "train", "completed", [
      [A, a],
      [A, a],
    ]);
    expect(story.violations[0]).toMatch(/^round 1 has accepted 1 updates and folded/);
  });

  test("an accepted update that is gone before its round is over is found", () => {
    story.accept(A, 1);
    const b = story.accept(B, 1);
    story.write("DELETE FROM updates WHERE device = ?", B);
    story.event();
    expect(story.violations).toEqual([
      `update ${b} of device-b was accepted in round 1 and is gone before its end`,
    ]);
  });

  test("a round that completes, or is abandoned, must have a result, or none", () => {
    const a = story.accept(A, 1);
    story.forgetUpdates();
    story.closed(1, "train", "completed", [[A, a]]);
    expect(story.violations).toEqual(["round 1 is completed and has no result"]);

    story.version(1, [0, 0]);
    story.event();
    story.accept(A, 2);
    story.forgetUpdates();
    story.version(2, [1, 1]);
    story.closed(2, "train", "abandoned", []);
    expect(story.violations[1]).toBe("round 2 is abandoned and has a result");
  });

  test("two accepted updates of one device in one round are found", () => {
    const first = story.accept(A, 1, { delta: 1 });
    story.write("DELETE FROM updates");
    const second = story.accept(A, 1, { delta: 2 });
    expect(story.violations[0]).toBe(`round 1 accepted two updates of device-a: ${first} and ${second}`);
  });

  test("an accepted update that is not what its name says is found", () => {
    const updateId = story.accept(A, 1);
    story.write("UPDATE updates SET device = ?", B);
    story.write(
      "INSERT INTO uploads SELECT ?, update_id, round, kind, base_version, bytes, sha256, examples, 0, 0 FROM uploads",
      B,
    );
    story.write("INSERT INTO chunks SELECT ?, update_id, start, length, data FROM chunks", B);
    story.event();
    expect(story.violations).toContain(`update ${updateId} of device-b in round 1 is not what its name says`);
  });
});

test("a train round that opens sooner than the task keeps rounds apart is found", () => {
  const rare = new Story(linearTask({ rounds: "every: 1h" }));
  rare.opened(1, "train", 0);
  rare.opened(2, "evaluate", 60_000);
  rare.opened(3, "train", 3_600_000);
  expect(rare.violations).toEqual([]);
  rare.opened(4, "train", 7_199_999);
  expect(rare.violations).toEqual(["train round 4 opened 3599999 ms after the one before, not 3600000"]);
  rare.journal.destroy();
});

describe("words", () => {
  test("a word that changes in the database is found", () => {
    const updateId = story.accept(A, 1);
    story.word(A, updateId, 1, "rejected");
    story.event();
    expect(story.violations).toEqual([
      `the word on update ${updateId} of device-a changed from "accepted" to "rejected"`,
    ]);
  });

  test("a receipt that the database knows nothing of, or otherwise, is found", () => {
    const updateId = story.accept(A, 1);
    story.told(B, updateId, "accepted");
    story.told(A, updateId, "rejected");
    expect(story.violations).toEqual([
      `device-b was told "accepted" on ${updateId}, the server's database says "undefined"`,
      `device-a was told "rejected" on ${updateId}, the server's database says "accepted"`,
    ]);
  });

  test("a device that is told another word than before is found", () => {
    const updateId = "00" as UpdateId;
    story.told(A, updateId, "rejected");
    story.word(A, updateId, 1, "accepted");
    story.told(A, updateId, "accepted");
    expect(story.violations).toEqual([`device-a was told "rejected" on 00, and then "accepted"`]);
  });
});

describe("evaluations and scalers", () => {
  const evaluation = (
    round: number,
    pooled: MetricSums,
    perDevice: readonly (readonly [DeviceId, number])[],
  ) =>
    story.write(
      "INSERT INTO evaluations VALUES (?, 1, ?, ?)",
      round,
      JSON.stringify(pooled),
      JSON.stringify(perDevice.map(([device, rows]) => ({ device, sums: sums(rows) }))),
    );
  const accept = (device: DeviceId) => story.accept(device, 1, { kind: "evaluate", evaluate: sums(10) });

  test.each([
    [
      "is right when every update counts once",
      20,
      [
        [A, 10],
        [B, 10],
      ],
      undefined,
    ],
    [
      "counts a device twice",
      30,
      [
        [A, 10],
        [B, 10],
        [B, 10],
      ],
      /^round 1 has accepted updates of device-a,device-b and counts/,
    ],
    [
      "leaves a device out",
      10,
      [[A, 10]],
      /^round 1 has accepted updates of device-a,device-b and counts device-a$/,
    ],
    [
      "pools more than its devices have",
      21,
      [
        [A, 10],
        [B, 10],
      ],
      /^round 1 has pooled rows 21, its devices have 20$/,
    ],
    [
      "counts other sums than were brought",
      25,
      [
        [A, 10],
        [B, 15],
      ],
      /^round 1 counts other sums of device-b than it brought$/,
    ],
  ] as const)("an evaluation %s", (_, rows, perDevice, violation) => {
    accept(A);
    accept(B);
    story.forgetUpdates();
    evaluation(1, sums(rows), perDevice);
    story.event();
    if (violation === undefined) expect(story.violations).toEqual([]);
    else expect(story.violations[0]).toMatch(violation);
  });

  test.each([
    [2, []],
    [3, ["round 1 has pooled falsePositives 3, its devices have 2"]],
  ])(
    "pooled decisions of two devices with one false positive each are 2, not 3: %i",
    (pooled, violations) => {
      const score = (rows: number, falsePositives: number): MetricSums => {
        const confusion = { truePositives: 0, falsePositives, falseNegatives: rows - falsePositives };
        return { ...sums(rows), confusion };
      };
      for (const device of [A, B])
        story.accept(device, 1, { kind: "evaluate", evaluate: { ...score(10, 1) } });
      const perDevice = [A, B].map((device) => ({ device, sums: score(10, 1) }));
      const all = { ...score(20, 2), confusion: { ...score(20, 2).confusion, falsePositives: pooled } };
      story.write(
        "INSERT INTO evaluations VALUES (?, 1, ?, ?)",
        1,
        JSON.stringify(all),
        JSON.stringify(perDevice),
      );
      story.event();
      expect(story.violations).toEqual(violations);
    },
  );

  const counted = (device: DeviceId, count: number, mean: number) => {
    const column = <Value>(value: Value) => [value, value, value];
    const sketch = new QuantileSketch();
    for (let i = -3; i <= 3; i++) sketch.add(mean + i);
    const fit = {
      ...{ count, mean: column(mean), m2: column(1), min: column(mean - 3), max: column(mean + 3) },
      quantiles: column(summarise(sketch)),
    };
    story.accept(device, 1, { kind: "fit", modelSignature: null, fit });
  };
  const wrong = ["the scaler of version 1 is not what round 1 has counted"];

  test.each([
    ["standard", "the mean of what was counted", { offset: 3, factor: 1 }, []],
    ["standard", "anything else", { offset: 4, factor: 1 }, wrong],
    // 10 examples from -2 to 4 and 20 from 1 to 7: half of them are at 3 or below.
    ["robust", "around the median of what was counted", { offset: 3, factor: 1 }, []],
    ["robust", "around another value", { offset: 4, factor: 1 }, wrong],
    ["minmax", "what takes all values to [0, 1]", { offset: -2, factor: 1 / 9 }, []],
    ["minmax", "blind to one device", { offset: 1, factor: 1 / 6 }, wrong],
  ] as const)("a %s scaler that is %s", (scale, _, { offset, factor }, violations) => {
    story.journal.destroy();
    story = new Story(linearTask({ scale }));
    counted(A, 10, 1);
    counted(B, 20, 4);
    story.forgetUpdates();
    story.version(1, [0, 0], { ...identityScaler, offset: [offset, offset], factor: [factor, factor] });
    story.event();
    expect(story.violations).toEqual(violations);
  });
});

describe("versions and rounds", () => {
  test("head never goes back, nor stable without a new release", () => {
    story.says({ head: 3, stable: 2 });
    story.says({ head: 2, stable: 1 });
    expect(story.violations).toEqual([
      "head went back from version 3 to 2",
      "stable went from version 2 to 1 without a new release",
    ]);
  });

  test("a damaged version is found", () => {
    story.version(1, [1, 2]);
    story.write("UPDATE blob_parts SET data = substr(data, 1, length(data) - 1)");
    story.event();
    expect(story.violations).toEqual(["version 1 is stored damaged"]);
  });

  test("round numbers only grow", () => {
    story.says({ open: { round: 2, kind: "train", deadlineMs: 1000 } });
    story.says({ open: { round: 1, kind: "train", deadlineMs: 2000 } });
    expect(story.violations).toEqual(["round 1 opened after round 2"]);
  });

  test("a round that is open after its deadline is found, at the first event after it", () => {
    story.says({ open: { round: 1, kind: "train", deadlineMs: 1000 } });
    story.event({ nowMs: 1000 });
    expect(story.violations).toEqual([]);
    story.event({ nowMs: 1001 });
    expect(story.violations).toEqual(["train round 1 is open after its deadline"]);
  });

  test("a deadline moves by as long as the server was down, and by what it may have forgotten, and no further", () => {
    story.says({ open: { round: 1, kind: "train", deadlineMs: 1000 } });
    story.event({ nowMs: 500, hasStarted: false });
    story.event({ nowMs: 5500, hasStarted: true });
    story.event({ nowMs: 36_000 });
    expect(story.violations).toEqual([]);
    story.event({ nowMs: 36_001 });
    expect(story.violations).toEqual(["train round 1 is open after its deadline"]);
  });
});

describe("serving", () => {
  const serve = (version: number) => story.checker.onDeviceFact(A, { type: "serving", version });

  const follow = (sequence: number, serving: number) =>
    story.checker.onDeviceFact(A, { type: "release-followed", sequence, serving, beside: null });
  const canary = { version: 3, mode: "canary", step: 0, below: 1 };

  test("a version that was never promoted is not served", () => {
    story.says({ head: 2, stable: 1 });
    serve(2);
    expect(story.violations).toEqual([
      "device-a serves version 2, which was never promoted and is no canary of its",
    ]);
  });

  test("a canary is served by a device that is in the trial, and by no other; a shadow by none", () => {
    story.says({ head: 3, stable: 1, sequence: 1, trial: canary });
    story.inTrial.add(A);
    serve(3);
    follow(1, 3);
    expect(story.violations).toEqual([]);
    story.checker.onDeviceFact(B, { type: "serving", version: 3 });
    story.checker.onDeviceFact(B, { type: "release-followed", sequence: 1, serving: 3, beside: 1 });
    expect(story.violations).toEqual([
      "device-b serves version 3, which was never promoted and is no canary of its",
      "device-b serves version 3 under release 1, which does not give it that",
    ]);
    story.says({ sequence: 2, trial: { ...canary, mode: "shadow" } });
    follow(2, 3);
    expect(story.violations).toHaveLength(3);
  });

  test("a device goes back by a later release, and not without one", () => {
    story.says({ head: 2, stable: 1, sequence: 1 });
    story.says({ stable: 2, sequence: 2 });
    story.says({ stable: 1, sequence: 3 });
    follow(2, 2);
    follow(3, 1);
    expect(story.violations).toEqual([]);
    follow(3, 2);
    expect(story.violations).toEqual(["device-a went from version 1 to 2 without a later release"]);
    follow(2, 2);
    expect(story.violations[1]).toBe("device-a followed release 2 after 3");
  });

  test("a device falls back by itself when a version has failed there", () => {
    story.says({ head: 2, stable: 1, sequence: 1 });
    story.says({ stable: 2, sequence: 2 });
    follow(2, 2);
    story.checker.onDeviceFact(A, { type: "version-failed", version: 2, reason: "not-finite" });
    follow(2, 1);
    expect(story.violations).toEqual([]);
  });

  test("stable changes by a new release only", () => {
    story.says({ head: 2, stable: 2, sequence: 5 });
    story.says({ stable: 1 });
    expect(story.violations).toEqual(["stable went from version 2 to 1 without a new release"]);
  });

  test("a prediction comes from the version that is served, and is that version's answer", () => {
    story.version(1, [0, 0]);
    story.says({ head: 1, stable: 1 });
    story.predicts(A, 1);
    serve(1);
    story.predicts(A, 1);
    story.predicts(A, 1, 8);
    expect(story.violations).toEqual([
      "device-a predicted with version 1 and serves undefined",
      "device-a predicted 8 with version 1, whose answer is 7",
    ]);
  });

  test("a process that has died serves nothing", () => {
    story.says({ head: 1, stable: 1 });
    serve(1);
    story.checker.onDeath(A);
    story.predicts(A, 1);
    expect(story.violations).toEqual(["device-a predicted with version 1 and serves undefined"]);
  });
});
