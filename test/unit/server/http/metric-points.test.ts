import { expect, test } from "vitest";
import { describeMetrics } from "../../../../server/http/views.js";
import { RoundHistory, type RoundsPage } from "../../../../server/round/history.js";
import { serverMigrations } from "../../../../server/storage.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { sumsOf } from "../../../support/device-report.js";
import { smallTask } from "../../../support/small-task.js";

const { task } = parseTask(smallTask);

test("a page of measurements is asked of the rounds that measured, and leads to the older ones", () => {
  const database = openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations });
  const history = new RoundHistory(database);
  for (let round = 1; round <= 20; round++) {
    history.begin({ round, kind: round % 4 === 0 ? "evaluate" : "train", baseVersion: round, openedMs: 1 });
    if (round % 4 === 0) history.score(round, sumsOf(10, round));
  }
  const asked: RoundsPage[] = [];
  const rounds = (page: RoundsPage) => {
    asked.push(page);
    return history.list(page);
  };
  const pages: number[][] = [];
  for (let before: number | undefined = 99; before !== undefined; ) {
    const { points, next } = describeMetrics({ server: { rounds }, task }, { limit: 2, before });
    for (const { round, metrics } of points) expect(metrics.rmse).toBeCloseTo(round);
    pages.push(points.map(({ round }) => round));
    before = next;
  }
  expect(pages).toEqual([[16, 20], [8, 12], [4]]);
  // One more than a page, however long the history is.
  expect(asked.every(({ limit }) => limit === 3)).toBe(true);
});
