// The checker is worth something only if it finds what is wrong: builds that are broken on purpose, each in one
// place, are caught within a few seeds, from what lies on disk and in the params, whatever the server says of itself.

import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { JournalEntry } from "../../server/round/journal.js";
import { systemClock } from "../../shared/clock.js";
import { type ChaosLab, createChaosLab } from "../../simulator/chaos/chaos.js";

type Settle = typeof import("../../server/ingest/settle.js");
type Fold = typeof import("../../server/aggregate/fold.js");
type Admission = typeof import("../../server/round/admission.js");
type Decide = typeof import("../../server/round/decide.js");
type Storage = typeof import("../../server/storage.js");

const SEEDS_MAX = 10;

/** What is broken now, and how often each update has come. */
const build = vi.hoisted(() => ({
  broken: "nothing" as "nothing" | "duplicates" | "conflicts" | "deadlines" | "journal",
  repeats: new Map<string, number>(),
}));

vi.mock("../../server/ingest/settle.js", async (original) => {
  const real = await original<Settle>();
  const repeatWord: Settle["repeatWord"] = async (context, device, message) => {
    const isRepeated = await real.repeatWord(context, device, message);
    const { updateId } = message;
    if (isRepeated) build.repeats.set(updateId, (build.repeats.get(updateId) ?? 0) + 1);
    return isRepeated;
  };
  return { ...real, repeatWord };
});

// Without the duplicate check: what came again is folded again.
vi.mock("../../server/aggregate/fold.js", async (original) => {
  const real = await original<Fold>();
  const foldUpdates: typeof real.foldUpdates = (aggregator, plan) => {
    const isBroken = build.broken === "duplicates";
    const timesOf = (ref: unknown) =>
      isBroken ? 1 + (build.repeats.get((ref as { updateId: string }).updateId) ?? 0) : 1;
    const updates = plan.updates.flatMap((ref) => new Array<typeof ref>(timesOf(ref)).fill(ref));
    return real.foldUpdates(aggregator, { ...plan, updates });
  };
  return { ...real, foldUpdates };
});

// Without the check for conflicts: a device's second update takes the place of its first.
vi.mock("../../server/round/admission.js", async (original) => {
  const real = await original<Admission>();
  const settleUpdate: Admission["settleUpdate"] = (state, update) => {
    const { open } = state;
    const member = open?.members.get(update.device);
    if (build.broken !== "conflicts" || open === null || member?.status !== "accepted")
      return real.settleUpdate(state, update);
    const forgotten = { status: "assigned", leaseMs: open.deadlineMs, wasOffered: true } as const;
    const members = new Map(open.members).set(update.device, forgotten);
    return real.settleUpdate({ ...state, open: { ...open, members } }, update);
  };
  const refusalOf: Admission["refusalOf"] = (state, update) => {
    const reason = real.refusalOf(state, update);
    return build.broken === "conflicts" && reason === "conflicting-update" ? undefined : reason;
  };
  return { ...real, settleUpdate, refusalOf };
});

// The database would refuse it, too, so its key is widened for all builds here, which in a sound one changes nothing.
// With a broken journal, effects do not wait for what they rest on.
vi.mock("../../server/storage.js", async (original) => {
  const real = await original<Storage>();
  const serverMigrations = real.serverMigrations.map((sql) =>
    sql.replace("PRIMARY KEY (round, device)", "PRIMARY KEY (round, device, update_id)"),
  );
  class HastyJournal extends real.SqliteJournal {
    override async commit(entries: readonly JournalEntry[]): Promise<void> {
      if (build.broken !== "journal") return super.commit(entries);
      void systemClock.turn().then(() => super.commit(entries));
    }
  }
  return { ...real, serverMigrations, SqliteJournal: HastyJournal };
});

// Nothing wakes the server at a deadline.
vi.mock("../../server/round/decide.js", async (original) => {
  const real = await original<Decide>();
  const nextWakeMs: Decide["nextWakeMs"] = (state) =>
    build.broken === "deadlines" ? undefined : real.nextWakeMs(state);
  return { ...real, nextWakeMs };
});

let lab: ChaosLab;

beforeAll(async () => {
  lab = await createChaosLab();
});

beforeEach(() => {
  build.broken = "nothing";
  build.repeats.clear();
});

afterAll(() => lab.close());

async function firstViolation(): Promise<string | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violations } = await lab.run({ seed: String(seed), rounds: 2 });
    if (violations[0] !== undefined) return violations[0];
  }
  return undefined;
}

test("folding without the duplicate check is caught by what the params have become", async () => {
  build.broken = "duplicates";
  expect(await firstViolation()).toMatch(/version \d+ is not what the \d+ updates of round \d+ come to/);
});

test("accepting two updates of one device in one round is caught", async () => {
  build.broken = "conflicts";
  // Traitors send two on purpose; a device works again where its offer comes twice.
  expect(await firstViolation()).toMatch(/round \d+ accepted two updates of (traitor|device)-\d/);
});

test("rounds that outlive their deadline are caught", async () => {
  build.broken = "deadlines";
  expect(await firstViolation()).toMatch(/round \d+ is open after its deadline/);
});

test("a receipt that is given before it is durable is caught", async () => {
  build.broken = "journal";
  expect(await firstViolation()).toMatch(
    /was told "accepted" on \w+, the server's database says "undefined"/,
  );
});

test("the build is sound when nothing of this is broken", async () => {
  expect((await lab.run({ seed: "1", rounds: 2 })).violations).toEqual([]);
});
