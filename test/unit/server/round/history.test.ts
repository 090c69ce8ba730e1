import { expect, test } from "vitest";
import { ROUNDS_REMEMBERED, type RoundEnding, RoundHistory } from "../../../../server/round/history.js";
import { serverMigrations } from "../../../../server/storage.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";

const sums = { rows: 4, squaredError: 4, absoluteError: 4, loss: 1, correct: 0 };
const ending: RoundEnding = {
  ...{ closedMs: 20, outcome: "completed", version: 2, members: 3, accepted: 2, rejected: 1 },
};

function history(): RoundHistory {
  return new RoundHistory(openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations }));
}

test("a round has no ending while it is open, and afterwards what became of it", () => {
  const rounds = history();
  rounds.begin({ round: 1, kind: "train", baseVersion: 1, openedMs: 10 });
  const open = {
    round: 1,
    kind: "train",
    baseVersion: 1,
    openedMs: 10,
    arms: [],
    ending: undefined,
    pooled: undefined,
  };
  expect(rounds.list({ limit: 5 })).toEqual([open]);
  rounds.end(1, ending);
  expect(rounds.list({ limit: 5 })).toEqual([{ ...open, ending }]);
  rounds.begin({ round: 2, kind: "train", baseVersion: 2, openedMs: 30 });
  rounds.end(2, { ...ending, outcome: "abandoned", version: undefined });
  expect(rounds.list({ limit: 1 })[0]?.ending).toEqual({
    ...ending,
    outcome: "abandoned",
    version: undefined,
  });
});

test("a round between candidates keeps their names", () => {
  const rounds = history();
  const round = { round: 1, kind: "evaluate", baseVersion: 1, openedMs: 10 } as const;
  rounds.begin({ ...round, arms: ["small", "wide"] });
  expect(rounds.list({ limit: 1 })[0]?.arms).toEqual(["small", "wide"]);
});

test("rounds come newest first, from below any number", () => {
  const rounds = history();
  for (const round of [1, 2, 3, 4]) rounds.begin({ round, kind: "train", baseVersion: 1, openedMs: round });
  expect(rounds.list({ limit: 2 }).map(({ round }) => round)).toEqual([4, 3]);
  expect(rounds.list({ limit: 2, before: 3 }).map(({ round }) => round)).toEqual([2, 1]);
});

test("a version's score is that of the last round that scored it", () => {
  const rounds = history();
  for (const round of [1, 2, 3]) {
    rounds.begin({ round, kind: "evaluate", baseVersion: 7, openedMs: round });
    rounds.end(round, ending);
  }
  rounds.score(1, sums);
  rounds.score(2, { ...sums, rows: 8 });
  expect(rounds.scored(7)).toMatchObject({ round: 2, pooled: { rows: 8 } });
  expect(rounds.scored(6)).toBeUndefined();
});

test("rounds that have scored a version are found among those that have not, page by page", () => {
  const rounds = history();
  for (const round of [1, 2, 3, 4, 5, 6]) {
    rounds.begin({ round, kind: round % 2 === 0 ? "evaluate" : "train", baseVersion: 1, openedMs: round });
    if (round % 2 === 0) rounds.score(round, sums);
  }
  const page = { limit: 2, isScored: true };
  expect(rounds.list(page).map(({ round }) => round)).toEqual([6, 4]);
  expect(rounds.list({ ...page, before: 4 }).map(({ round }) => round)).toEqual([2]);
});

test("the oldest rounds are forgotten", () => {
  const rounds = history();
  for (const round of [1, 2, ROUNDS_REMEMBERED + 1])
    rounds.begin({ round, kind: "train", baseVersion: 1, openedMs: 0 });
  rounds.end(ROUNDS_REMEMBERED + 1, ending);
  expect(rounds.list({ limit: 5 }).map(({ round }) => round)).toEqual([ROUNDS_REMEMBERED + 1, 2]);
});
