import { describe, expect, test } from "vitest";
import type { Command } from "../../../../server/round/command.js";
import { decide, nextWakeMs } from "../../../../server/round/decide.js";
import { normLimitOf } from "../../../../server/round/norms.js";
import type { Policy } from "../../../../server/round/policy.js";
import type { DeviceId } from "../../../../shared/id.js";
import { MINUTE_MS, policyWith, Rounds } from "../../../support/decided-rounds.js";

const ids = ["a", "b", "c", "d", "e"] as DeviceId[];
const [a, b, c, d] = ids as [DeviceId, DeviceId, DeviceId, DeviceId];

function statusOf(rounds: Rounds, device: DeviceId): string | undefined {
  return rounds.open?.members.get(device)?.status;
}

function typesOf(commands: readonly Command[]): string[] {
  return commands.map((command) => (command.type === "tell" ? command.fact.type : command.type));
}

describe("membership", () => {
  test("a member that declines is replaced at once", () => {
    const rounds = new Rounds(policyWith({ cohort: { kind: "count", count: 2 } }), [a, b, c]);
    const [first] = rounds.open!.members.keys();
    const outsider = ids.slice(0, 3).find((id) => !rounds.open!.members.has(id))!;
    const { commands } = rounds.on({ type: "declined", device: first!, round: 1, reason: "busy" });
    expect(commands).toEqual([
      {
        type: "tell",
        fact: { type: "member-replaced", round: 1, device: first, by: outsider, reason: "busy" },
      },
      { type: "offer", device: outsider },
    ]);
    expect(statusOf(rounds, outsider)).toBe("assigned");
  });

  test("a silent member is replaced when its lease runs out, and its update still counts", () => {
    const rounds = new Rounds(policyWith({ cohort: { kind: "count", count: 2 } }), [a, b, c]);
    const members = [...rounds.open!.members.keys()];
    expect(nextWakeMs(rounds.last.state)).toBe(4 * MINUTE_MS);
    rounds.after(4 * MINUTE_MS);
    expect(members.map((id) => statusOf(rounds, id))).toEqual(["expired", "expired"]);
    expect(rounds.open!.members.size).toBe(3);
    rounds.update(members[0]!);
    expect(statusOf(rounds, members[0]!)).toBe("accepted");
    expect(rounds.update(members[1]!)).toContainEqual(expect.objectContaining({ type: "fold" }));
  });

  test("an upload that moves keeps the lease", () => {
    const rounds = new Rounds(policyWith(), [a, b]);
    rounds.nowMs += 3 * MINUTE_MS;
    rounds.on({ type: "progressed", device: a, round: 1 });
    rounds.after(2 * MINUTE_MS);
    expect([statusOf(rounds, a), statusOf(rounds, b)]).toEqual(["assigned", "expired"]);
  });

  test("a device that comes later steps in where nobody could", () => {
    const rounds = new Rounds(policyWith(), [a, b]);
    const { commands } = rounds.on({ type: "declined", device: a, round: 1, reason: "busy" });
    expect(commands).toContainEqual({
      type: "tell",
      fact: { type: "member-replaced", round: 1, device: a, by: undefined, reason: "busy" },
    });
    expect(typesOf(rounds.hello(c))).toEqual(["member-replaced", "offer"]);
    expect(typesOf(rounds.hello(d))).toEqual(["wait"]);
  });

  test("an unsettled member is offered the round again at every hello, a settled one waits", () => {
    const rounds = new Rounds(policyWith({ quorum: 1 }), [a, b]);
    expect(typesOf(rounds.hello(a))).toEqual(["offer"]);
    expect(typesOf(rounds.hello(a))).toEqual(["offer"]);
    rounds.update(a);
    expect(rounds.hello(a)).toEqual([{ type: "wait", device: a, retryMs: MINUTE_MS, reason: "settled" }]);
    expect(rounds.hello(c)).toMatchObject([{ reason: "not-selected" }]);
    expect(rounds.hello(d, false)).toMatchObject([{ reason: "not-eligible" }]);
  });

  test("a hello that says nothing new changes nothing", () => {
    const rounds = new Rounds(policyWith(), [a, b]);
    rounds.hello(a);
    const before = rounds.last.state;
    rounds.nowMs += 1000;
    rounds.hello(a);
    expect(rounds.last.state).toBe(before);
  });

  test("a device not heard for long is not asked", () => {
    const rounds = new Rounds(policyWith({}, { absentMs: 15 * MINUTE_MS }), [a, b, c]);
    rounds.nowMs += 9 * MINUTE_MS;
    for (const id of [a, b]) rounds.hello(id);
    rounds.after(MINUTE_MS);
    rounds.nowMs += 6 * MINUTE_MS;
    rounds.train([a, b]);
    expect([...rounds.open!.members.keys()].sort()).toEqual([a, b]);
  });

  test("when the fleet is full, the device not heard for longest makes room", () => {
    const rounds = new Rounds(policyWith({ cohort: { kind: "count", count: 1 } }, { maxDevices: 2 }), [a, b]);
    rounds.nowMs += MINUTE_MS;
    rounds.hello(c);
    const [member] = rounds.open!.members.keys();
    expect([...rounds.last.state.fleet.keys()].sort()).toEqual([member, c].sort());
  });
});

describe("closing", () => {
  test("over-selected devices are asked, and the first answers close the round", () => {
    const rounds = new Rounds(policyWith({ cohort: { kind: "count", count: 2 }, overSelect: 0.5 }), ids);
    const members = [...rounds.open!.members.keys()];
    expect(members.length).toBe(3);
    rounds.update(members[0]!);
    expect(typesOf(rounds.update(members[2]!))).toEqual(["update-accepted", "word", "fold"]);
    expect(rounds.update(members[1]!)).toMatchObject([
      { fact: { type: "update-rejected", reason: "round-closed" } },
      { word: { reason: "round-closed" } },
    ]);
  });

  test("with quorum a round closes when nobody is left to wait for", () => {
    const rounds = new Rounds(policyWith(), [a, b, c]);
    rounds.update(a);
    rounds.update(b);
    expect(typesOf(rounds.on({ type: "declined", device: c, round: 1, reason: "busy" }).commands)).toEqual([
      "member-replaced",
      "fold",
    ]);
  });

  test("with quorum a round closes at its deadline", () => {
    const rounds = new Rounds(policyWith({ leaseMs: 60 * MINUTE_MS }), [a, b]);
    rounds.update(a);
    expect(rounds.after(10 * MINUTE_MS - 1).commands).toEqual([]);
    expect(typesOf(rounds.after(1).commands)).toEqual(["fold"]);
  });

  test("without quorum a round is abandoned at its deadline and the next opens on the same base", () => {
    const rounds = new Rounds(policyWith({ quorum: 1 }), [a, b]);
    rounds.update(a);
    const { commands } = rounds.after(10 * MINUTE_MS);
    expect(commands[0]).toEqual({
      type: "tell",
      fact: {
        type: "round-closed",
        round: 1,
        kind: "train",
        outcome: "abandoned",
        why: "deadline",
        folded: [],
      },
    });
    expect(rounds.open).toMatchObject({ round: 2, baseVersion: 1 });
  });

  test("updates that add up to no finite params abandon the round", () => {
    const rounds = new Rounds(policyWith(), [a]);
    rounds.update(a);
    const { commands } = rounds.on({ type: "unfoldable", round: 1 });
    expect(commands[0]).toMatchObject({ fact: { outcome: "abandoned" } });
    expect(rounds.last.state.lastVersion).toBe(1);
  });

  test("a version that was made twice counts once", () => {
    const rounds = new Rounds(policyWith(), [a]);
    rounds.train([a]);
    const { state } = rounds.last;
    rounds.on({ type: "version-made", round: 1, version: 2 });
    expect(rounds.last.state).toBe(state);
  });
});

describe("opening", () => {
  test("waits for so many devices before the first round, and not again", () => {
    const rounds = new Rounds(policyWith({ minDevices: 3 }), [a, b]);
    expect(rounds.open).toBeNull();
    rounds.hello(c);
    expect(rounds.open?.members.size).toBe(3);
  });

  test("a counted cohort opens with no fewer than its quorum", () => {
    const rounds = new Rounds(policyWith({ cohort: { kind: "count", count: 4 }, quorum: 0.75 }), [a, b]);
    expect(rounds.open).toBeNull();
    rounds.hello(c);
    expect(rounds.open).toMatchObject({ target: 4, quorum: 3 });
  });

  test("an evaluate round that nobody can serve is skipped: the gate stays shut, training goes on", () => {
    const policy = policyWith(
      {},
      { evaluate: { every: 1, cohort: { kind: "all" }, quorum: 1, deadlineMs: 1 } },
    );
    const rounds = new Rounds(policy, [a]);
    rounds.on({ type: "hello", device: a, canTrain: true, canEvaluate: false, labels: {} });
    rounds.update(a);
    expect(rounds.made().commands).toContainEqual({
      type: "tell",
      fact: { type: "gate", version: 2, passed: false, value: undefined, reference: undefined },
    });
    expect(rounds.open?.kind).toBe("train");
    expect(rounds.last.state.failedGates).toBe(0);
  });
});

describe("an evaluate round", () => {
  const everyRound = { every: 1, cohort: { kind: "all" }, quorum: 0.5, deadlineMs: MINUTE_MS } as const;
  const told = (rounds: Rounds) =>
    rounds.last.commands.flatMap((command) => (command.type === "tell" ? [command.fact] : []));

  test("ends as soon as too few are left who could score, and the version is not to blame for it", () => {
    const rounds = new Rounds(policyWith({}, { evaluate: everyRound }), [a, b, c]);
    rounds.train([a, b, c]);
    expect(rounds.open).toMatchObject({ kind: "evaluate", quorum: 2 });
    rounds.on({ type: "declined", device: a, round: 2, reason: "no-examples" });
    expect(rounds.open?.round).toBe(2);
    rounds.on({ type: "declined", device: b, round: 2, reason: "no-examples" });
    expect(told(rounds)).toContainEqual({
      ...{ type: "round-closed", round: 2, kind: "evaluate" },
      ...{ outcome: "abandoned", why: "nobody-can", folded: [] },
    });
    expect(rounds.open).toMatchObject({ round: 3, kind: "train" });
    expect(rounds.last.state.failedGates).toBe(0);
  });

  test("waits for a silent member, whose update still counts, until its deadline", () => {
    const rounds = new Rounds(policyWith({ leaseMs: 10 }, { evaluate: everyRound }), [a]);
    rounds.train([a]);
    rounds.after(10);
    expect(rounds.open?.kind).toBe("evaluate");
    rounds.after(MINUTE_MS);
    expect(told(rounds)).toContainEqual(expect.objectContaining({ why: "deadline" }));
  });
});

describe("progression", () => {
  const everyRound = { every: 1, cohort: { kind: "all" }, quorum: 1, deadlineMs: MINUTE_MS } as const;

  test("after so many failed gates head returns to stable as a new version", () => {
    const rounds = new Rounds(policyWith({}, { evaluate: everyRound }), [a]);
    rounds.train([a]);
    rounds.update(a, 1, 1);
    expect(rounds.last.state).toMatchObject({ stable: 2, stableValue: 1 });
    for (const version of [3, 4]) {
      rounds.train([a]);
      expect(rounds.last.state.candidate).toBe(version);
      rounds.update(a, 1, 2);
    }
    expect(rounds.last.commands.at(-1)).toEqual({ type: "revert", version: 5, from: 2 });
    rounds.on({ type: "version-made", round: 0, version: 5 });
    expect(rounds.last.state).toMatchObject({ head: 5, stable: 2, failedGates: 0 });
    expect(rounds.open).toMatchObject({ kind: "train", baseVersion: 5 });
  });

  test("head also returns when no round on it comes to an end", () => {
    const rounds = new Rounds(policyWith({ quorum: 1 }), [a]);
    rounds.train([a]);
    rounds.after(10 * MINUTE_MS);
    rounds.after(10 * MINUTE_MS);
    expect(rounds.last.commands.at(-1)).toEqual({ type: "revert", version: 3, from: 1 });
    rounds.on({ type: "version-made", round: 0, version: 3 });
    for (let i = 0; i < 5; i++) rounds.hello(a);
    rounds.after(10 * MINUTE_MS);
    rounds.after(10 * MINUTE_MS);
    expect(rounds.last.state.making).toBeNull();
  });

  test("a score that is not a number shuts the gate", () => {
    const rounds = new Rounds(policyWith({}, { evaluate: everyRound }), [a]);
    rounds.train([a]);
    const commands = rounds.update(a, 1, 1e200);
    expect(commands).toContainEqual({
      type: "tell",
      fact: { type: "gate", version: 2, passed: false, value: undefined, reference: undefined },
    });
  });

  test("training stops at its target, or when it gets no better, or after its rounds", () => {
    const finishOf = (changes: Partial<Policy["rounds"]>, scores: readonly number[]) => {
      const rounds = new Rounds(policyWith(changes, { evaluate: everyRound }), [a]);
      for (const score of scores) {
        rounds.train([a]);
        rounds.update(a, 1, score);
      }
      return rounds.last.state.finished;
    };
    const stop = (target?: number, patience?: number) => ({
      stop: { metric: "rmse" as const, target, patience },
    });
    expect(finishOf(stop(0.5), [1, 0.6])).toBeNull();
    expect(finishOf(stop(0.5), [1, 0.5])).toBe("target");
    expect(finishOf(stop(undefined, 2), [1, 1, 0.9, 0.95])).toBeNull();
    expect(finishOf(stop(undefined, 2), [1, 1, 0.9, 0.95, 0.9])).toBe("patience");
    expect(finishOf({ max: 2 }, [1, 1])).toBe("max-rounds");
  });
});

describe("the norm limit", () => {
  test("is ten times the median, once twenty norms are known", () => {
    expect(normLimitOf(new Array(19).fill(1))).toBeNull();
    expect(normLimitOf([...new Array(10).fill(1), ...new Array(10).fill(3)])).toBe(20);
    expect(normLimitOf([...new Array(11).fill(1), ...new Array(10).fill(3)])).toBe(10);
    expect(normLimitOf(new Array(20).fill(0))).toBeNull();
  });

  test("is frozen when the round opens", () => {
    const rounds = new Rounds(policyWith({ max: 100 }), [a, b]);
    for (let round = 0; round < 10; round++) rounds.train([a, b]);
    expect(rounds.open?.normLimit).toBe(10);
    rounds.update(a, 9);
    expect(rounds.open?.normLimit).toBe(10);
    expect(rounds.update(b, 10.5)).toMatchObject([{ fact: { reason: "norm-too-large" } }, {}, {}, {}]);
  });
});

describe("recovery", () => {
  test("moves deadlines, leases and absences by the downtime, and asks again for what was unfinished", () => {
    const rounds = new Rounds(policyWith(), [a, b]);
    const before = rounds.last.state;
    rounds.nowMs += 24 * 60 * MINUTE_MS;
    const { state, commands } = rounds.on({ type: "recovered", downtimeMs: 24 * 60 * MINUTE_MS });
    expect(state.open!.deadlineMs - before.open!.deadlineMs).toBe(24 * 60 * MINUTE_MS);
    expect(commands.map((command) => command.type)).toEqual(["offer", "offer"]);
    expect([statusOf(rounds, a), statusOf(rounds, b)]).toEqual(["assigned", "assigned"]);
    rounds.update(a);
    const fold = rounds.update(b).at(-1);
    expect(fold).toMatchObject({ type: "fold", round: 1, version: 2, base: 1 });
    expect(rounds.on({ type: "recovered", downtimeMs: 0 }).commands).toEqual([fold]);
  });
});

describe("rounds kept apart", () => {
  const HOUR_MS = 60 * MINUTE_MS;

  test("a train round waits until `every` has passed since the one before opened, and opens by the clock alone", () => {
    const rounds = new Rounds(policyWith({ everyMs: HOUR_MS }), [a, b]);
    rounds.after(5 * MINUTE_MS);
    rounds.train([a, b]);
    expect(rounds.open).toBeNull();
    expect(nextWakeMs(rounds.last.state)).toBe(HOUR_MS);
    rounds.after(54 * MINUTE_MS);
    expect(rounds.hello(a)).toMatchObject([{ type: "wait", reason: "not-due" }]);
    rounds.after(MINUTE_MS);
    expect(rounds.open).toMatchObject({ round: 2, kind: "train" });
    expect(rounds.last.state.trainFromMs).toBe(2 * HOUR_MS);
  });

  test("the evaluate round of what was trained does not wait", () => {
    const evaluate = { every: 1, cohort: { kind: "all" }, quorum: 0.5, deadlineMs: MINUTE_MS } as const;
    const rounds = new Rounds(policyWith({ everyMs: HOUR_MS }, { evaluate }), [a, b]);
    rounds.train([a, b]);
    expect(rounds.open).toMatchObject({ round: 2, kind: "evaluate" });
  });

  test("an abandoned round is not tried again before its time", () => {
    const rounds = new Rounds(policyWith({ everyMs: HOUR_MS }), [a, b]);
    rounds.after(10 * MINUTE_MS);
    expect(rounds.open).toBeNull();
    expect(nextWakeMs(rounds.last.state)).toBe(HOUR_MS);
  });

  test("where devices are missing when the time has come, the first hello that makes the quorum opens it", () => {
    const rounds = new Rounds(policyWith({ everyMs: 3 * HOUR_MS, quorum: 1 }), [a, b]);
    rounds.train([a, b]);
    rounds.after(3 * HOUR_MS);
    expect(rounds.open).toBeNull();
    expect(nextWakeMs(rounds.last.state)).toBeUndefined();
    rounds.hello(a);
    expect(rounds.open?.round).toBe(2);
  });

  test("the time the server is away counts, and a clock set back costs one rest at most", () => {
    const rounds = new Rounds(policyWith({ everyMs: HOUR_MS }), [a, b]);
    rounds.train([a, b]);
    const before = rounds.last.state;
    rounds.nowMs = 2 * HOUR_MS;
    expect(rounds.on({ type: "recovered", downtimeMs: 2 * HOUR_MS }).state.open?.round).toBe(2);
    const back = { type: "recovered", downtimeMs: 0, nowMs: -1000 * HOUR_MS } as const;
    expect(decide(before, back, rounds.policy).state.trainFromMs).toBe(-999 * HOUR_MS);
  });
});
