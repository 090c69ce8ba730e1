import { beforeEach, expect, test } from "vitest";
import { Coordinator } from "../../../../server/round/coordinator.js";
import type { Occurrence } from "../../../../server/round/event.js";
import type { Journal, JournalEntry } from "../../../../server/round/journal.js";
import { policyOf } from "../../../../server/round/policy.js";
import { Counters } from "../../../../shared/counters.js";
import { HeadwaterError } from "../../../../shared/error.js";
import type { DeviceId } from "../../../../shared/id.js";
import { silentLogger } from "../../../../shared/log.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { ManualClock } from "../../../support/manual-clock.js";

const { task } = parseTask(`task: t
sources: { air: {} }
features: { from: air, list: [{ copy: [a, b] }], scale: none }
label: { field: a }
model: { dense: [2] }
`);

let stored: JournalEntry[][];
/** Its events find no room. */
let refused: string | undefined;
const journal: Journal = {
  load: async () => undefined,
  begin: async () => undefined,
  async commit(entries) {
    if (entries.some(({ event }) => deviceOf(event) === refused))
      throw new HeadwaterError("storage-full", "full");
    stored.push([...entries]);
  },
  beat: async () => undefined,
};

let coordinator: Coordinator;
beforeEach(async () => {
  stored = [];
  refused = "nobody";
  coordinator = new Coordinator({
    ...{ journal, clock: new ManualClock(), counters: new Counters(), logger: silentLogger },
    policy: policyOf(task, { seed: "s", maxDevices: 10 }),
    execute: async () => undefined,
    fail: (error) => {
      throw error;
    },
  });
  await coordinator.load();
  await coordinator.recover();
  stored = [];
});

const deviceOf = (event: unknown) => (event as { device?: string } | undefined)?.device;
const hello = (device: string): Occurrence => ({
  type: "hello",
  labels: {},
  device: device as DeviceId,
  canTrain: true,
  canEvaluate: true,
});

test("events that come together are stored in one transaction, each with the state after it", async () => {
  await Promise.all(["a", "b", "c"].map((device) => coordinator.post(hello(device))));
  expect(stored.map((entries) => entries.map(({ event }) => deviceOf(event)))).toEqual([["a", "b", "c"]]);
  const states = stored[0]!.map(({ state }) => state);
  expect(new Set(states).size).toBe(3);
  expect(states.at(-1)).toBe(coordinator.state);
});

test("one event that finds no room takes none of the others along", async () => {
  refused = "b";
  const outcomes = await Promise.allSettled(["a", "b", "c"].map((device) => coordinator.post(hello(device))));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: { code: "storage-full" } });
  expect(stored.map((entries) => entries.map(({ event }) => deviceOf(event)))).toEqual([["a"], ["c"]]);
  expect(stored.at(-1)!.at(-1)!.state).toBe(coordinator.state);
});
