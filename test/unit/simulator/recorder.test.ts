import { expect, test } from "vitest";
import type { ServerFact } from "../../../server/fact.js";
import type { Manifest } from "../../../shared/wire/message.js";
import { Recorder } from "../../../simulator/recorder.js";
import { deviceId } from "../../support/device-kit.js";

const plan = { epochs: 2, batch: 10, optimizer: { kind: "sgd", learningRate: 0.1 } } as const;
const pump = deviceId("pump-1");

/** A recorder whose traffic grows by 10 bytes up and 100 down with every fact. */
function record(...facts: readonly ServerFact[]): Recorder {
  let count = 0;
  const recorder = new Recorder({
    task: { train: plan, candidates: undefined },
    traffic: () => ({ up: 10 * count, down: 100 * count }),
    onRound: () => undefined,
  });
  for (const fact of facts) {
    count++;
    recorder.onServerFact(fact);
  }
  count++;
  recorder.end();
  return recorder;
}

function opened(round: number, kind: "fit" | "train" | "evaluate"): ServerFact {
  return { type: "round-opened", round, kind, baseVersion: 1, cohort: [pump], deadlineMs: 0 };
}

function accepted(round: number, kind: "fit" | "train" | "evaluate", examples: number): ServerFact {
  return { type: "update-accepted", round, kind, device: pump, updateId: "u" as never, examples };
}

function rejected(round: number): ServerFact {
  return { type: "update-rejected", round, device: pump, updateId: "u" as never, reason: "stale" as never };
}

function closed(
  round: number,
  kind: "fit" | "train" | "evaluate",
  outcome: "completed" | "abandoned" = "completed",
): ServerFact {
  return { type: "round-closed", round, kind, outcome, folded: [] };
}

function published(version: number, line: "head" | "stable" = "head"): ServerFact {
  return { type: "version-published", line, manifest: { version } as Manifest };
}

const fit = [opened(1, "fit"), accepted(1, "fit", 7), closed(1, "fit"), published(1)];

test("only train rounds are rows, and each has the version that it made", () => {
  const recorder = record(
    ...fit,
    ...[opened(2, "train"), accepted(2, "train", 25), closed(2, "train"), published(2)],
    ...[opened(3, "evaluate"), accepted(3, "evaluate", 5), closed(3, "evaluate"), published(2, "stable")],
    ...[opened(4, "train"), accepted(4, "train", 25), closed(4, "train"), published(3)],
  );
  const { rounds } = recorder;
  expect(recorder.firstVersion()).toBe(1);
  expect(rounds.map(({ number, version, accepted }) => [number, version, accepted])).toEqual([
    [2, 2, 1],
    [4, 3, 1],
  ]);
});

test("an abandoned round has no version, not even when head then goes back to an older one", () => {
  const { rounds } = record(
    ...fit,
    ...[opened(2, "train"), closed(2, "train", "abandoned"), published(2)],
    ...[opened(3, "train"), accepted(3, "train", 1), closed(3, "train"), published(3)],
  );
  expect(rounds.map(({ version }) => version)).toEqual([undefined, 3]);
});

test("every rejection is in some row, also those before the first train round", () => {
  const { rounds } = record(
    ...[opened(1, "fit"), rejected(1), closed(1, "fit"), published(1)],
    ...[opened(2, "train"), rejected(2), closed(2, "train"), published(2)],
    ...[opened(3, "evaluate"), rejected(3), closed(3, "evaluate")],
    ...[opened(4, "train")],
  );
  expect(rounds.map((round) => round.rejected)).toEqual([3, 0]);
});

test("every byte is in exactly one row, from the first message to the last", () => {
  const { rounds } = record(...fit, opened(2, "train"), closed(2, "train"), published(2), opened(3, "train"));
  const [first, second] = rounds;
  expect(first?.before).toEqual({ up: 0, down: 0 });
  expect(second?.before).toEqual(first?.after);
  expect(second?.after).toEqual({ up: 90, down: 900 });
});

test("a device's local steps are those of its accepted train updates", () => {
  const recorder = record(
    ...fit,
    ...[opened(2, "train"), accepted(2, "train", 25), closed(2, "train"), published(2)],
    ...[opened(3, "train"), accepted(3, "train", 30), closed(3, "train"), published(3)],
  );
  // Two epochs of ceil(25 / 10), then two of 30 / 10.;
  expect(recorder.stepsOf(undefined).get(pump)).toBe(12);
});
