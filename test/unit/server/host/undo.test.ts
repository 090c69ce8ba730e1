import { expect, test } from "vitest";
import { Undo } from "../../../../server/host/undo.js";

test("steps are taken once, the last first, each after the one before has ended", async () => {
  const undo = new Undo();
  const taken: string[] = [];
  undo.later(async () => void taken.push("first"));
  undo.later(async () => {
    await Promise.resolve();
    taken.push("second");
  });
  await Promise.all([undo.all(), undo.all()]);
  expect(taken).toEqual(["second", "first"]);
});

test("a step that fails does not keep the others from being taken", async () => {
  const undo = new Undo();
  let isReleased = false;
  undo.later(async () => {
    isReleased = true;
  });
  undo.later(() => Promise.reject(new Error("the disk is gone")));
  await expect(undo.all()).rejects.toThrow("the disk is gone");
  expect(isReleased).toBe(true);
});
