import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { EventWriter } from "../../../../shared/tensorboard/writer.js";
import { readRecords } from "../../../support/event-file.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const START_MS = 1_772_000_000_000;

function open(folder: string, clock = new ManualClock(START_MS)) {
  const counters = new Counters();
  return {
    counters,
    writer: EventWriter.open({ folder: join(temp.path, folder), clock, logger: silentLogger, counters }),
  };
}

test("a file has the name that TensorBoard looks for, begins with its version, and has what was finite", async () => {
  const writer = await open("one").writer;
  writer.add(3, { rmse: 1.5, mae: Number.NaN, loss: undefined });
  writer.add(4, { rmse: Number.POSITIVE_INFINITY });
  await writer.close();
  expect(writer.path).toMatch(/\/events\.out\.tfevents\.1772000000\./);
  const file = readFileSync(writer.path);
  expect(file.subarray(0, 40).toString("latin1")).toContain("brain.Event:2");
  expect(readRecords(file)).toEqual([{ wallSeconds: START_MS / 1000, step: 3, scalars: { rmse: 1.5 } }]);
});

test("a process that starts again begins another file, and leaves the first alone", async () => {
  const clock = new ManualClock(START_MS);
  const first = await open("two", clock).writer;
  first.add(1, { a: 1 });
  await first.close();
  const before = readFileSync(first.path);
  await clock.advance(5_000);
  const second = await open("two", clock).writer;
  second.add(2, { a: 2 });
  await second.close();
  expect(readdirSync(join(temp.path, "two"))).toHaveLength(2);
  expect(readFileSync(first.path)).toEqual(before);
});

test("what finds no room is counted, and so is what the disk refuses: nobody waits or fails", async () => {
  const { writer: opening, counters } = open("three");
  const writer = await opening;
  const long = "x".repeat(300_000);
  for (let step = 0; step < 6; step++) writer.add(step, { [long]: 1 });
  await writer.close();
  expect(counters.get("tensorboard.overflow")).toBeGreaterThan(0);
  const refused = open("four");
  const lost = await refused.writer;
  await lost.close();
  // A file takes the folder's place: nothing can be appended below it.
  rmSync(join(temp.path, "four"), { recursive: true });
  writeFileSync(join(temp.path, "four"), "");
  lost.add(1, { a: 1 });
  await lost.close();
  expect(refused.counters.get("tensorboard.not-written")).toBe(1);
});

test("a folder that cannot be made is said at once", async () => {
  temp.write("file", "");
  await expect(open("file/folder").writer).rejects.toThrow(/cannot write event files into/);
});
