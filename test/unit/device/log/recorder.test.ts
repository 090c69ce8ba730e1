import { describe, expect, test } from "vitest";
import { type Mark, START } from "../../../../device/checkpoint/mark.js";
import type { Replayable } from "../../../../device/checkpoint/progress.js";
import type { SourceMessage } from "../../../../device/ingest/sources/port.js";
import { logMigrations, RawLog } from "../../../../device/log/raw-log.js";
import { type Place, Recorder } from "../../../../device/log/recorder.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { ManualClock } from "../../../support/manual-clock.js";

const TODAY_MS = Date.UTC(2026, 10, 27);

function setUp(options: { readonly mark?: Mark; readonly nowMs?: number } = {}) {
  const clock = new ManualClock(options.nowMs ?? TODAY_MS);
  const counters = new Counters();
  const database = openSqlite({ path: ":memory:", durability: "normal", migrations: logMigrations });
  const log = new RawLog({ database, clock, counters, logger: silentLogger, keepMs: 1e9 });
  const resumed: Replayable[] = [];
  const received: string[] = [];
  let live = 0;
  const recorder = new Recorder({
    ...{ log, clock, counters, logger: silentLogger },
    inputs: { save: () => null, restore: () => undefined },
    agent: {
      resume(replayable) {
        resumed.push(replayable);
        return options.mark ?? { ...START, file: replayable.file };
      },
      caughtUp: () => void live++,
    },
  });
  const serve = (file?: string) =>
    recorder.serve({
      file,
      isTimedByArrival: (source) => source === "now",
      receive: ({ topic }, { mark, isNew }: Place) => {
        received.push(`${topic} ${mark.file === "" ? mark.seq : mark.position} ${isNew ? "new" : "again"}`);
      },
    });
  const take = (topic: string, more: Partial<SourceMessage> = {}) =>
    recorder.take({ source: "air", topic, payload: new Uint8Array(1), arrivalMs: clock.now(), ...more });
  return { clock, counters, database, log, recorder, resumed, received, serve, take, live: () => live };
}

describe("messages of sources that cannot be read again", () => {
  test("go on at once and are safe when they are in the log", async () => {
    const { serve, take, received, clock, database } = setUp();
    await serve().caughtUp;
    let isSafe = false;
    void take("a").then(() => {
      isSafe = true;
    });
    expect(received).toEqual(["a 1 new"]);
    await clock.advance(90);
    expect(isSafe).toBe(false);
    await clock.advance(20);
    expect([isSafe, database.all("SELECT topic FROM message")]).toEqual([true, [{ topic: "a" }]]);
  });

  test("are brought again after the mark, those that came since a start being new", async () => {
    const before = setUp();
    await before.serve().caughtUp;
    for (const topic of ["a", "b", "c"]) void before.take(topic);
    before.log.flush();
    const { serve, take, received, log, live, database } = setUp({ mark: { ...START, seq: 1 } });
    for (const row of before.database.all("SELECT * FROM message"))
      database.run("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", ...Object.values(row));
    log.skipTo(3);
    const { caughtUp } = serve();
    void take("d");
    expect([received, live()]).toEqual([[], 0]);
    await caughtUp;
    void take("e");
    expect([received, live()]).toEqual([["b 2 again", "c 3 again", "d 4 new", "e 5 new"], 1]);
  });

  test("are only logged while another task is made ready, and are its", async () => {
    const { serve, take, recorder, received } = setUp();
    await serve().caughtUp;
    recorder.pause();
    void take("a");
    expect(received).toEqual([]);
    await serve().caughtUp;
    expect(received).toEqual(["a 1 again"]);
  });

  test("that have a position need not wait to be safe, and are read on after the last that is logged", async () => {
    const { serve, take, recorder } = setUp();
    await serve().caughtUp;
    await take("a", { source: "tail", position: 40 });
    await take("b", { source: "tail", position: 75 });
    expect([recorder.loggedPosition("tail"), recorder.loggedPosition("air")]).toEqual([75, 0]);
  });
});

describe("a file that is all there is", () => {
  test("is not logged, goes on from its mark, and is told so", async () => {
    const { serve, take, resumed, received, database, recorder } = setUp({
      mark: { seq: 0, file: "a.csv", position: 120 },
    });
    expect(serve("a.csv").position).toBe(120);
    await take("line", { position: 150 });
    expect(received).toEqual(["line 150 new"]);
    expect(resumed).toMatchObject([{ file: "a.csv", log: undefined }]);
    expect([recorder.isFile, database.all("SELECT * FROM message")]).toEqual([true, []]);
  });

  test("brings nothing to the task that follows before that is served: it is read again", async () => {
    const { serve, take, recorder, received } = setUp();
    serve("a.csv");
    recorder.pause();
    await take("line", { position: 10 });
    expect(received).toEqual([]);
  });
});

test("before the clock is set, only messages timed by their arrival wait", async () => {
  const { serve, take, received, clock } = setUp({ nowMs: 1000 });
  await serve().caughtUp;
  await take("a", { source: "now" });
  void take("b");
  expect(received).toEqual(["b 1 new"]);
  clock.set(TODAY_MS);
  void take("c");
  expect(received).toEqual(["b 1 new", "a 2 new", "c 3 new"]);
});

test("a log that cannot be read any further is counted, and what comes from then on is taken", async () => {
  const { serve, take, received, counters, database } = setUp();
  database.run("ALTER TABLE message RENAME TO gone");
  await serve().caughtUp;
  database.run("ALTER TABLE gone RENAME TO message");
  void take("a");
  expect([counters.get("log.unreadable"), received]).toEqual([1, ["a 1 new"]]);
});
