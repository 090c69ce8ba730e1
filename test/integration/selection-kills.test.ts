// Candidates compared by real processes over MQTT, with a server that is killed in the middle of it: it goes on where it
// was, compares the same candidates by the same scores, and comes to the same winner and to the same params.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { viewServerFolder } from "../../server/host/server-view.js";
import { LineageStore } from "../../server/lineage/store.js";
import { VersionStore } from "../../server/model/version-store.js";
import type { SelectionState } from "../../server/select/state.js";
import { readJournal } from "../../server/storage.js";
import type { RunManifest } from "../../shared/lineage/record.js";
import {
  cloneSnapshot,
  DEVICES,
  embeddedUplink,
  FLEET_TASK,
  type FleetProcesses,
  type FleetStatus,
  prepareSnapshot,
} from "../support/fleet-processes.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

const MAX = 2;
/** The device that keeps a cohort waiting, and how long it takes the others to deliver, at most. */
const LAST = "pump-3";
const HELD_MS = 2_000;
const CANDIDATES = ["blunt", "linear", "stiff", "wide"];
const yaml = FLEET_TASK.replace(
  /^model: .*\ntrain: .*\n/m,
  `train: { epochs: 1, batch: 16 }
candidates:
  blunt: { model: { dense: [2], output: regression }, train: { optimizer: { sgd: 0.00001 } } }
  linear: { model: { dense: [], output: regression }, train: { optimizer: { adam: 0.02 } } }
  stiff: { model: { dense: [16], output: regression }, train: { optimizer: { sgd: 0.00001 } } }
  wide: { model: { dense: [32, 16], output: regression }, train: { optimizer: { adam: 0.003 } } }
select: { rungs: [2, 5], eta: 2 }
`,
).replace(/max: \d+/, `max: ${MAX}`);

const temp = tempFolder();
const running: FleetProcesses[] = [];
let undisturbed: Outcome;
let killed: Outcome;
/** What the server said just before each kill, and once it was there again. */
const looks: { readonly when: string; readonly before: FleetStatus; readonly after: FleetStatus }[] = [];

interface Moment {
  readonly when: string;
  readonly isNow: (status: FleetStatus) => boolean;
}

/** Moments at which the server dies. In train rounds it has two updates by then, and waits for the third. */
const MOMENTS: readonly Moment[] = [
  { when: "within a turn of the first rung", isNow: (status) => isTraining(status, 0) && isUneven(status) },
  { when: "while the first rung is scored", isNow: (status) => isScoring(status, 0) },
  { when: "within a turn of the last rung", isNow: (status) => isTraining(status, 1) && isUneven(status) },
  { when: "while the last rung is scored", isNow: (status) => isScoring(status, 1) },
  {
    when: "in a round of the winner",
    isNow: ({ open, selection }) => open?.kind === "train" && selection?.winner !== undefined,
  },
];

function isTraining({ open, selection }: FleetStatus, rung: number): boolean {
  return open?.kind === "train" && selection?.rung === rung && selection.winner === undefined;
}

function isScoring({ open, selection }: FleetStatus, rung: number): boolean {
  return open?.kind === "evaluate" && selection?.rung === rung && selection.winner === undefined;
}

/** Some of those that are in have trained in this turn, and some have not. */
function isUneven({ selection }: FleetStatus): boolean {
  const rounds = selection?.candidates.filter(({ out }) => out === undefined).map((each) => each.rounds);
  return new Set(rounds).size > 1;
}

beforeAll(async () => {
  expect(yaml).toContain("candidates:");
  const snapshot = join(temp.path, "snapshot");
  await prepareSnapshot(snapshot, yaml);
  undisturbed = await run(join(temp.path, "undisturbed"), snapshot, async () => undefined);
  killed = await run(join(temp.path, "killed"), snapshot, killAtMoments);
}, 480_000);

afterAll(() => Promise.all(running.map((fleet) => fleet.stop())));

async function run(
  folder: string,
  snapshot: string,
  disturb: (fleet: FleetProcesses) => Promise<void>,
): Promise<Outcome> {
  const fleet = await cloneSnapshot(snapshot, folder, await embeddedUplink("tcp"));
  running.push(fleet);
  fleet.startServer();
  await fleet.serverSays(({ isReady }) => isReady);
  fleet.startDevices();
  await disturb(fleet);
  const { finished, selection } = await fleet.serverSays((status) => status.finished !== undefined);
  expect({ finished, winner: selection?.winner }).toEqual({
    finished: "max-rounds",
    winner: expect.any(String),
  });
  const rounds = Math.max(...DEVICES.flatMap((name) => fleet.updatesOf(name).accepted));
  const all = Array.from({ length: rounds }, (_, at) => at + 1);
  for (const name of DEVICES) {
    // Its word on the last update may still be on its way.
    await until(() => fleet.updatesOf(name).accepted.length >= rounds, 60_000);
    expect(
      fleet.updatesOf(name).accepted.toSorted((a, b) => a - b),
      `each update of ${name} once`,
    ).toEqual(all);
  }
  await fleet.stop();
  return outcomeOf(join(folder, "server"));
}

async function killAtMoments(fleet: FleetProcesses): Promise<void> {
  for (const { when, isNow } of MOMENTS) {
    const before = await catchMoment(fleet, { when, isNow });
    await fleet.server?.stop("SIGKILL");
    fleet.device(LAST).signal("SIGCONT");
    fleet.startServer();
    looks.push({ when, before, after: await fleet.serverSays(({ isReady }) => isReady) });
  }
}

/** Waits for the moment; stops a device, so that a cohort is in the middle of its round. */
async function catchMoment(fleet: FleetProcesses, { when, isNow }: Moment): Promise<FleetStatus> {
  for (;;) {
    const seen = await fleet.serverSays((status) => {
      expect(status.finished, `it is over before ${when}`).toBeUndefined();
      return isNow(status);
    });
    // There is one such round: it is taken as it comes.
    if (seen.open?.kind === "evaluate") return seen;
    fleet.device(LAST).signal("SIGSTOP");
    const caught = await fleet
      .serverSays((status) => isNow(status) && awaitsLast(status), HELD_MS)
      .catch(() => undefined);
    if (caught !== undefined) return caught;
    // It had delivered already.
    fleet.device(LAST).signal("SIGCONT");
  }
}

function awaitsLast({ open }: FleetStatus): boolean {
  const missing = open?.members.filter(({ status }) => status !== "accepted").map(({ device }) => device);
  return missing?.length === 1 && missing[0] === LAST;
}

/** What lies in the server's folder. */
interface Outcome {
  readonly selection: SelectionState;
  readonly head: { readonly version: number; readonly arm: string | undefined; readonly sha256: string };
  /** Of each version kept. */
  readonly arms: readonly (string | undefined)[];
  /** From the head back to its first ancestor. */
  readonly line: readonly RunManifest[];
}

function outcomeOf(folder: string): Outcome {
  const view = viewServerFolder(folder);
  try {
    const { database } = view;
    const state = readJournal(database)!.state;
    const versions = new VersionStore(database).list();
    const { arm, sha256 } = versions.find(({ version }) => version === state.head)!;
    return {
      selection: state.selection!,
      head: { version: state.head, arm, sha256 },
      arms: versions.map((manifest) => manifest.arm),
      line: new LineageStore({ database }).ancestry(state.head, 1_000).map(({ run }) => run.record),
    };
  } finally {
    view.close();
  }
}

/** What does not depend on how fast a machine is at the time. */
function withoutTimes({ arms, ...rest }: SelectionState) {
  const scores = (arm: SelectionState["arms"][number]) =>
    arm.scores.map(({ latencyUs: _, ...score }) => score);
  return { ...rest, arms: arms.map((arm) => ({ ...arm, scores: scores(arm) })) };
}

test.each(MOMENTS)("killed $when, the server goes on with the same candidates and all scores", ({ when }) => {
  const { before, after } = looks.find((look) => look.when === when)!;
  const candidates = before.selection?.candidates ?? [];
  expect(candidates.map(({ name }) => name)).toEqual(CANDIDATES);
  expect(after.selection?.candidates.map(({ name }) => name)).toEqual(CANDIDATES);
  expect(after.selection?.rung).toBeGreaterThanOrEqual(before.selection?.rung ?? 0);
  for (const [at, { name, rounds, version, out, scoredRounds = 0, value }] of candidates.entries()) {
    const later = after.selection?.candidates[at];
    expect(later?.rounds, name).toBeGreaterThanOrEqual(rounds);
    expect(later?.version, name).toBeGreaterThanOrEqual(version);
    if (out !== undefined) expect(later?.out, name).toBe(out);
    // Between the last look and the kill another rung may have ended.
    const scoredLater = later?.scoredRounds ?? 0;
    expect(scoredLater, name).toBeGreaterThanOrEqual(scoredRounds);
    if (scoredLater === scoredRounds) expect(later?.value, name).toBe(value);
  }
});

describe("in the end", () => {
  test("every candidate was scored as without kills, and the same one has won", () => {
    expect(withoutTimes(killed.selection)).toEqual(withoutTimes(undisturbed.selection));
    const { arms, winner } = killed.selection;
    expect(arms.map(({ name }) => name)).toEqual(CANDIDATES);
    for (const { name, scores, out } of arms) {
      // Once a rung, as long as it was in.
      const rungs = scores.map(({ rung }) => rung);
      expect(rungs, name).toEqual(rungs.length === 1 ? [0] : [0, 1]);
      expect(out === null, name).toBe(name === winner);
      for (const { devices } of scores) expect(devices, name).toBe(DEVICES.length);
    }
    expect(["linear", "wide"]).toContain(winner);
  });

  test("the same params are head", () => {
    expect(killed.head).toEqual(undisturbed.head);
    expect(killed.head.arm).toBe(killed.selection.winner);
  });

  test("one line leads from its first version to the head, and nothing else is kept", () => {
    const { arms, line, selection } = killed;
    expect(new Set(arms)).toEqual(new Set([selection.winner]));
    const { first, rounds } = selection.arms.find(({ name }) => name === selection.winner)!;
    expect(line).toHaveLength(1 + rounds + MAX);
    expect(line.at(-1)).toMatchObject({ version: first, parent: 0 });
    for (const [at, { version, parent, updates }] of line.slice(0, -1).entries()) {
      expect(line[at + 1]?.version, `parent of ${version}`).toBe(parent);
      expect(updates.map(({ device }) => device)).toEqual(DEVICES);
    }
    expect(new Set(line.map(({ hashes }) => hashes.topology)).size).toBe(1);
    const own = ({ version, parent, hashes, updates }: RunManifest) => ({ version, parent, hashes, updates });
    expect(line.map(own)).toEqual(undisturbed.line.map(own));
  });
});
