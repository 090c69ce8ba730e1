import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DeviceId } from "../../../../shared/id.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { QuantileSketch } from "../../../../shared/pipeline/quantile.js";
import { summarise } from "../../../../shared/pipeline/quantile-summary.js";
import { encodeFrame } from "../../../../shared/wire/frame.js";
import type { Offer, RejectionReason } from "../../../../shared/wire/message.js";
import { packValue } from "../../../../shared/wire/msgpack.js";
import { generateKeys, verifyReceipt } from "../../../../shared/wire/signature.js";
import { topics } from "../../../../shared/wire/topic.js";
import { decodeUpdate } from "../../../../shared/wire/update-frame.js";
import type { HandDevice } from "../../../support/server-lab.js";
import { ServerLab, scoreOf, serverKeys } from "../../../support/server-lab.js";

let runtime: ModelRuntime;
let lab: ServerLab;
let a: HandDevice;
let b: HandDevice;
let offer: Offer;
let count: number;

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

beforeEach(() => open());

async function open(output = "regression", features = "scale: none"): Promise<void> {
  lab = new ServerLab({
    ...{ runtime, output, features },
    yaml: "rounds: { minDevices: 2, quorum: 100%, deadline: 10m, lease: 5m }\nrows: { keep: { ring: 100 } }\n",
  });
  await lab.start();
  a = await lab.device("a");
  b = await lab.device("b");
  await b.hello();
  offer = await a.offered();
  count = (await lab.server.model(1))?.params.length ?? 0;
}

async function offerEvaluation(): Promise<Offer> {
  await a.contribute();
  await b.contribute();
  await lab.settle(() => lab.server.status().open?.kind === "evaluate");
  return a.offered();
}

async function expectRejection(
  device: HandDevice,
  update: Parameters<HandDevice["upload"]>[0],
  reason: RejectionReason,
): Promise<void> {
  const receipt = await device.upload(update);
  expect(receipt).toMatchObject({ status: "rejected", reason, duplicate: false });
  const claim = { ...receipt, task: lab.task.task.task, device: device.id };
  expect(verifyReceipt(serverKeys.publicKey, claim, receipt.signature)).toBe(true);
  expect(lab.told("update-rejected").at(-1)).toMatchObject({ device: device.id, reason });
  expect(lab.server.counters.get(`update-rejected.${reason}`)).toBe(1);
}

describe("an update is rejected, signed and counted", () => {
  test("when its round has not been opened, or is long past", async () => {
    const update = await a.update({ ...offer, round: 7 });
    await expectRejection(a, update, "unknown-round");
    expect(lab.database.all("SELECT * FROM receipts")).toEqual([]);
  });

  test("when its device is not a member", async () => {
    const stranger = await lab.device("z");
    await expectRejection(stranger, await stranger.update(offer), "not-selected");
  });

  test("when its device is not enrolled; nothing is kept of it", async () => {
    const stranger = await lab.device("z", { isEnrolled: false });
    const receipt = await stranger.upload(await stranger.update(offer));
    expect(receipt).toMatchObject({ status: "rejected", reason: "unknown-device" });
    expect(lab.database.all("SELECT * FROM receipts")).toEqual([]);
    expect(await stranger.hello()).toMatchObject({ kind: "wait", message: { reason: "unknown-device" } });
  });

  test("when it is of another kind than the round", async () => {
    await expectRejection(a, await a.update({ ...offer, kind: "evaluate" }), "wrong-kind");
  });

  test("when it was made from another version", async () => {
    await expectRejection(a, await a.update(offer, { announced: { baseVersion: 0 } }), "stale-base-version");
  });

  test("when an old frame is announced as a new one", async () => {
    const update = await a.update(offer, { header: { round: 5 } });
    await expectRejection(a, update, "malformed");
    const older = await b.update(offer, { header: { baseVersion: 9 } });
    expect(await b.upload(older)).toMatchObject({ reason: "stale-base-version" });
  });

  test("when another update of its device is in the round already", async () => {
    await a.upload(await a.update(offer));
    await expectRejection(a, await a.update(offer, { examples: 11 }), "conflicting-update");
    await b.contribute();
    expect(lab.told("round-closed")[0]?.folded.length).toBe(2);
  });

  test("when it is larger than an update of this model can be", async () => {
    await expectRejection(a, await a.update(offer, { delta: new Float32Array(5000) }), "too-large");
  });

  test("when its bytes are not those announced", async () => {
    const update = await a.update(offer);
    const frame = update.frame.slice();
    frame[60]! ^= 1;
    await expectRejection(a, { ...update, frame }, "bad-checksum");
  });

  test("when its frame's own checksum is wrong", async () => {
    const frame = (await a.update(offer)).frame.slice();
    frame[frame.length - 1]! ^= 1;
    await expectRejection(a, a.announce(offer, frame), "bad-checksum");
  });

  test("when it is signed by somebody else, who cannot cost the device its place", async () => {
    await expectRejection(a, await a.update(offer, { keys: generateKeys() }), "bad-signature");
    expect(lab.server.status().open?.members).toContainEqual({ device: "a", status: "assigned" });
    expect(await a.upload(await a.update(offer, { examples: 12 }))).toMatchObject({ status: "accepted" });
  });

  test("when its id is not that of its content", async () => {
    const { updateId } = (await b.update(offer)).begin;
    await expectRejection(a, await a.update(offer, { announced: { updateId } }), "malformed");
  });

  test("when it is no frame, or one that contradicts itself", async () => {
    await expectRejection(a, a.announce(offer, new Uint8Array(100)), "malformed");
    const header = { round: offer.round, kind: "train" };
    const frame = encodeFrame("update", header, new Uint8Array());
    expect(await b.upload(b.announce(offer, frame))).toMatchObject({ reason: "malformed" });
  });

  test("when it claims more or fewer examples than announced", async () => {
    await expectRejection(a, await a.update(offer, { header: { examples: 99 } }), "malformed");
  });

  test("when its frame names another task", async () => {
    await expectRejection(a, await a.update(offer, { header: { task: "other" } }), "wrong-task");
  });

  test("when its frame names another device", async () => {
    await expectRejection(a, await a.update(offer, { header: { device: "b" as DeviceId } }), "wrong-device");
  });

  test("when it belongs to another model", async () => {
    const modelSignature = "1".repeat(64);
    await expectRejection(a, await a.update(offer, { header: { modelSignature } }), "wrong-model");
    const train = decodeUpdate((await b.update(offer)).frame);
    if (!train.ok || train.header.train === null) throw new Error("no update");
    const header = { train: { ...train.header.train, fingerprint: "1".repeat(64) } };
    expect(await b.upload(await b.update(offer, { header }))).toMatchObject({ reason: "wrong-model" });
  });

  test("when it has another number of params", async () => {
    await expectRejection(a, await a.update(offer, { delta: new Float32Array(count - 1) }), "wrong-shape");
  });

  test("when a number is not finite", async () => {
    const delta = new Float32Array(count).fill(0.1);
    delta[3] = Number.NaN;
    await expectRejection(a, await a.update(offer, { delta }), "not-finite");
  });

  test("when there are no examples behind it", async () => {
    await expectRejection(a, await a.update(offer, { examples: 0 }), "no-examples");
  });

  test("when there are more examples behind it than a device may hold", async () => {
    await expectRejection(a, await a.update(offer, { examples: 101 }), "too-many-examples");
  });
});

describe("statistics are rejected", () => {
  const summary = (value: number) => {
    const sketch = new QuantileSketch();
    sketch.add(value);
    return summarise(sketch);
  };
  const none = new Uint8Array();
  const columns = (value: number) => [value, value, value];
  const statistics = { count: 10, mean: columns(2), m2: columns(40), min: columns(0), max: columns(4) };

  test.each([
    ["lack the quantiles that robust scaling needs", "robust", undefined],
    [
      "hold quantiles of a column that is not scaled robustly",
      "robust",
      [summary(2), summary(2), summary(2)],
    ],
    ["lack the quantiles of one column", "robust", [summary(2), none, none]],
    ["hold quantiles beyond the extremes", "robust", [summary(2), summary(5), none]],
    ["hold quantiles that nobody asked for", "standard", [summary(2), summary(2), none]],
  ])("when they %s", async (_, scale, quantiles) => {
    await open("regression", `scale: ${scale}`);
    const fit = { ...statistics, ...(quantiles !== undefined && { quantiles }) };
    const reason = scale === "standard" ? "too-large" : "malformed";
    const update = await a.update(offer, { header: { fit } });
    const receipt = await a.upload(update);
    expect(receipt).toMatchObject({ status: "rejected" });
    expect(["malformed", reason]).toContain(receipt.reason);
  });

  test("but not when they are right: the fleet's median becomes the offset", async () => {
    await open("regression", "scale: robust");
    for (const [device, value] of [
      [a, 1],
      [b, 3],
    ] as const) {
      const fit = { ...statistics, quantiles: [summary(value), summary(value), none] };
      expect(await device.upload(await device.update(offer, { header: { fit } }))).toMatchObject({
        status: "accepted",
      });
    }
    await lab.settle(() => lab.server.status().head === 1);
    expect((await lab.server.model(1))?.scaler).toMatchObject({ offset: [2, 2], factor: [0.5, 0.5] });
  });
});

describe("a score is rejected", () => {
  test("when it cannot be one", async () => {
    const evaluate = await offerEvaluation();
    const wrong = { ...scoreOf(10, 1), correct: 11 };
    await expectRejection(a, await a.update(evaluate, { header: { evaluate: wrong } }), "malformed");
  });

  test("when it counts decisions that the model does not make", async () => {
    const evaluate = await offerEvaluation();
    const confusion = { truePositives: 0, falsePositives: 5, falseNegatives: 5 };
    const wrong = { ...scoreOf(10, 1), confusion };
    await expectRejection(a, await a.update(evaluate, { header: { evaluate: wrong } }), "malformed");
  });

  const right = { truePositives: 3, falsePositives: 1, falseNegatives: 2 };
  const score = { ...scoreOf(10, 0), loss: 5, correct: 7 };

  test.each([
    ["does not count its decisions", score],
    ["has fewer wrong decisions than wrong rows", { ...score, confusion: { ...right, falsePositives: 0 } }],
    ["is right more often by 1 than at all", { ...score, confusion: { ...right, truePositives: 8 } }],
  ])("when a binary one %s", async (_, wrong) => {
    await open("binary");
    const evaluate = await offerEvaluation();
    await expectRejection(a, await a.update(evaluate, { header: { evaluate: wrong } }), "malformed");
  });

  test("never when a binary one adds up", async () => {
    await open("binary");
    const evaluate = { ...score, confusion: right };
    const update = await a.update(await offerEvaluation(), { header: { evaluate } });
    expect(await a.upload(update)).toMatchObject({ status: "accepted" });
    const other = await b.update(await b.offered(), { header: { evaluate } });
    expect(await b.upload(other)).toMatchObject({ status: "accepted" });
    await lab.settle(() => lab.told("evaluated").length > 0);
    expect(lab.told("evaluated")[0]?.pooled).toMatchObject({
      rows: 20,
      correct: 14,
      confusion: { truePositives: 6, falsePositives: 2, falseNegatives: 4 },
    });
  });
});

describe("norms", () => {
  test("a delta far longer than was usual is rejected once enough are known", async () => {
    for (let round = 0; round < 10; round++) {
      for (const device of [a, b]) expect(await device.contribute()).toMatchObject({ status: "accepted" });
      await lab.settle(() => lab.server.status().open?.kind === "evaluate");
      for (const device of [a, b]) await device.contribute();
    }
    const delta = new Float32Array(count).fill(5.1);
    const next = await a.offered();
    await expectRejection(a, await a.update(next, { delta }), "norm-too-large");
    expect(await b.contribute({ delta: new Float32Array(count).fill(4.9) })).toMatchObject({
      status: "accepted",
    });
  });
});

describe("a message is dropped and counted", () => {
  test("when nothing can be made of it", async () => {
    const { task } = lab.task.task;
    const cases: readonly [topic: string, payload: Uint8Array, counter: string][] = [
      [topics.up(task, a.id, "hello"), Uint8Array.of(1, 2, 3), "dropped.undecodable"],
      [topics.up(task, a.id, "hello"), packValue({ v: 2 }), "dropped.undecodable"],
      [topics.up(task, b.id, "hello"), packValue({ v: 1 }), "dropped.foreign-client"],
      [topics.up("other" as typeof task, a.id, "hello"), packValue({ v: 1 }), "dropped.other-task"],
      ["hw/2/lab/up/a/hello", packValue({ v: 1 }), "dropped.bad-topic"],
      [topics.down(task, "nobody" as DeviceId, "offer"), packValue({ v: 1 }), "dropped.bad-topic"],
    ];
    for (const [topic, payload, counter] of cases) {
      const before = lab.server.counters.get(counter);
      expect(await a.publish(topic, payload)).toBe(true);
      expect(lab.server.counters.get(counter)).toBe(before + 1);
    }
  });

  test("when a chunk does not belong where it says", async () => {
    const update = await a.update(offer);
    const { updateId } = update.begin;
    const chunk = (offset: number, length: number) =>
      a.send("chunk", { v: 1, updateId, offset, data: new Uint8Array(length) });
    await chunk(0, 10);
    expect(lab.server.counters.get("dropped.chunk-unannounced")).toBe(1);
    await a.send("begin", update.begin);
    await chunk(update.frame.length - 5, 10);
    expect(lab.server.counters.get("dropped.chunk-out-of-range")).toBe(1);
    await chunk(10, 20);
    await chunk(10, 20);
    await chunk(0, 11);
    await chunk(29, 5);
    expect(lab.server.counters.get("dropped.chunk-overlap")).toBe(3);
    await a.send("begin", update.begin);
    expect((await a.next("missing")).ranges).toEqual([
      [0, 10],
      [30, update.frame.length - 30],
    ]);
  });

  test("when a device makes more updates for a round than an outbox can hold", async () => {
    for (let i = 1; i <= 16; i++) await a.upload(await a.update(offer, { header: { task: `t${i}` } }));
    await a.send("begin", (await a.update(offer, { announced: { baseVersion: 0 } })).begin);
    expect(lab.server.counters.get("dropped.too-many-updates")).toBe(1);
    expect(lab.database.get("SELECT COUNT(*) AS count FROM receipts")).toEqual({ count: 16 });
  });
});
