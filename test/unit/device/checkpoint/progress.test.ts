import { describe, expect, test } from "vitest";
import { START } from "../../../../device/checkpoint/mark.js";
import { Progress } from "../../../../device/checkpoint/progress.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import type { Saved, Stateful } from "../../../../shared/pipeline/state.js";
import type { Database } from "../../../../shared/storage/port.js";
import { createDisk } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";

class Part implements Stateful {
  value: Saved = null;

  save(): Saved {
    return this.value;
  }

  restore(saved: Saved): void {
    this.value = saved;
  }
}

function open(
  options: { readonly database?: Database; readonly spec?: string; readonly file?: string } = {},
) {
  const { database = createDisk().telemetry, spec = "a", file = "" } = options;
  const [counters, pipeline, inputs] = [new Counters(), new Part(), new Part()];
  const progress = new Progress({
    ...{ database, spec, file, counters, inputs, log: undefined },
    clock: new ManualClock(),
    logger: silentLogger,
    pipeline: () => pipeline,
  });
  const mark = progress.restore(({ pipeline: saved }) => pipeline.restore(saved));
  const write = () => database.transaction(() => progress.write())();
  return { database, progress, counters, pipeline, inputs, mark, write };
}

/** A disk with the state after message 5, and rows written through message 7 and a clock of 9000. */
function written(): Database {
  const { database, progress, pipeline, inputs, write } = open();
  Object.assign(pipeline, { value: { sum: 3 } });
  Object.assign(inputs, { value: [1, 2] });
  progress.reached({ ...START, seq: 5 }, 10, true);
  progress.wantCheckpoint();
  write();
  progress.reached({ ...START, seq: 7 }, 10, true);
  progress.advanced(9000);
  write();
  return database;
}

test("state goes on after its message, rows after theirs, and the clock where it was", () => {
  const { mark, progress, pipeline, inputs, counters } = open({ database: written() });
  expect([mark.seq, pipeline.value, inputs.value]).toEqual([5, { sum: 3 }, [1, 2]]);
  expect([6, 7, 8].map((seq) => progress.isWritten({ ...START, seq }))).toEqual([true, true, false]);
  expect([progress.takeOwedClockMs(), progress.takeOwedClockMs()]).toEqual([9000, undefined]);
  expect(counters.toJSON()).toEqual({});
});

test("what is replayed writes no rows, and how far they had come stays known", () => {
  const { database, progress, write } = open({ database: written() });
  progress.reached({ ...START, seq: 6 }, 10, true);
  write();
  expect(open({ database }).progress.isWritten({ ...START, seq: 7 })).toBe(true);
});

describe("state is set aside, and made anew from the first message,", () => {
  test.each([
    ["of another task", "spec = 'b'", "other-task"],
    ["of another format", "format = 99", "other-format"],
    ["with a flipped bit", "content = CAST('x' AS BLOB)", "broken"],
  ])("%s", (_, change, reason) => {
    const database = written();
    database.run(`UPDATE checkpoint SET ${change}`);
    const { mark, pipeline, inputs, progress, counters } = open({ database });
    expect([mark, pipeline.value, inputs.value]).toEqual([START, null, null]);
    expect(counters.toJSON()).toEqual({ [`checkpoints.set-aside.${reason}`]: 1 });
    expect(database.all("SELECT role FROM checkpoint")).toEqual([{ role: "set-aside" }]);
    expect(progress.isWritten({ ...START, seq: 7 })).toBe(true);
  });

  test("that its pipeline cannot take up", () => {
    const progress = new Progress({
      ...{ database: written(), spec: "a", file: "", log: undefined, inputs: new Part() },
      ...{ counters: new Counters(), clock: new ManualClock(), logger: silentLogger },
      pipeline: () => new Part(),
    });
    const mark = progress.restore(() => {
      throw new TypeError("not what it was");
    });
    expect(mark).toEqual(START);
  });
});

test("the state of one file is not that of another", () => {
  const first = open({ file: "a.csv" });
  first.progress.reached({ ...START, file: "a.csv", position: 100 }, 10, false);
  first.progress.wantCheckpoint();
  first.write();
  expect(open({ database: first.database, file: "a.csv" }).mark.position).toBe(100);
  const other = open({ database: first.database, file: "b.csv" });
  expect(other.mark).toEqual({ seq: 0, file: "b.csv", position: 0 });
  expect(other.progress.isWritten({ seq: 0, file: "b.csv", position: 50 })).toBe(false);
});

test("a checkpoint that did not fit is given up, counted, and not tried again at once", () => {
  const { progress, counters } = open();
  progress.wantCheckpoint();
  progress.failed();
  expect([progress.isDue, counters.toJSON()]).toEqual([false, { "checkpoints.not-written": 1 }]);
});

test("the clock alone moves nothing before a message has come with one", () => {
  const { progress } = open();
  expect(progress.hasClock).toBe(false);
  progress.reached({ ...START, seq: 1 }, 1, false);
  expect(progress.hasClock).toBe(false);
  progress.reached({ ...START, seq: 2 }, 1, true);
  expect(progress.hasClock).toBe(true);
});
