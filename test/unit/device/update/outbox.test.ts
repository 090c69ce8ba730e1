import { expect, test } from "vitest";
import type { BuiltUpdate } from "../../../../device/update/builder.js";
import { Outbox } from "../../../../device/update/outbox.js";
import type { UpdateId } from "../../../../shared/id.js";
import { createDisk } from "../../../support/device-kit.js";

function update(round: number): BuiltUpdate {
  return {
    updateId: `update-${round}` as UpdateId,
    round,
    kind: "train",
    baseVersion: round - 1,
    sha256: "ab",
    examples: 5,
    chunkBytes: 1024,
    frame: Buffer.from([1, 2, 3]),
  };
}

test("updates come back whole, the oldest first, also from another process", () => {
  const { state } = createDisk();
  const outbox = new Outbox(state);
  outbox.add(update(2));
  outbox.add(update(1));
  const reopened = new Outbox(state);
  expect(reopened.list().map(({ round }) => round)).toEqual([2, 1]);
  expect(reopened.read(update(2).updateId)).toEqual(update(2));
  const { frame, chunkBytes, ...rest } = update(2);
  expect(reopened.describe(update(2).updateId)).toEqual({ ...rest, bytes: frame.length });
});

test("the same update twice is one, in its first place", () => {
  const outbox = new Outbox(createDisk().state);
  for (const round of [1, 2, 1]) outbox.add(update(round));
  expect(outbox.list().map(({ round }) => round)).toEqual([1, 2]);
});

test("a deleted update is gone, and deleting it again does nothing", () => {
  const outbox = new Outbox(createDisk().state);
  outbox.add(update(1));
  outbox.delete(update(1).updateId);
  outbox.delete(update(1).updateId);
  expect(outbox.list()).toEqual([]);
  expect(outbox.read(update(1).updateId)).toBeUndefined();
  expect(outbox.roundOf(update(1).updateId)).toBeUndefined();
});
