// Laws of rounds, over random histories: any order of messages, losses, restarts and passing time.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ServerFact } from "../../../server/fact.js";
import type { Command, MakeCommand, Step, Write } from "../../../server/round/command.js";
import { decide, nextWakeMs } from "../../../server/round/decide.js";
import type { Occurrence, RoundEvent, Verdict } from "../../../server/round/event.js";
import type { Policy } from "../../../server/round/policy.js";
import { initialState, parseState, type RoundsState, stringifyState } from "../../../server/round/state.js";
import type { DeviceId, UpdateId } from "../../../shared/id.js";
import { noTrial } from "../../support/no-trial.js";

const devices = ["a", "b", "c", "d", "e", "f"] as DeviceId[];
const device = fc.constantFrom(...devices);
const SECOND_MS = 1000;

const cohort = fc.oneof(
  fc.constant({ kind: "all" } as const),
  fc.double({ min: 0.1, max: 1, noNaN: true }).map((fraction) => ({ kind: "fraction", fraction }) as const),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ kind: "count", count }) as const),
);
const quorum = fc.double({ min: 0.1, max: 1, noNaN: true });

const policy: fc.Arbitrary<Policy> = fc.record({
  seed: fc.constant("laws"),
  needsFit: fc.boolean(),
  rounds: fc.record({
    cohort,
    minDevices: fc.integer({ min: 1, max: 3 }),
    overSelect: fc.constantFrom(0, 0.3, 1),
    quorum,
    deadlineMs: fc.constant(60 * SECOND_MS),
    leaseMs: fc.constantFrom(10 * SECOND_MS, 30 * SECOND_MS, 90 * SECOND_MS),
    max: fc.integer({ min: 1, max: 5 }),
    minExamples: fc.constant(1),
    stop: fc.constantFrom(
      undefined,
      { metric: "rmse" as const, target: 0.5, patience: undefined },
      { metric: "rmse" as const, target: undefined, patience: 2 },
    ),
  }),
  evaluate: fc.record({
    every: fc.integer({ min: 1, max: 2 }),
    cohort,
    quorum,
    deadlineMs: fc.constant(40 * SECOND_MS),
  }),
  rollout: fc.record({
    gate: fc.constant({ metric: "rmse" as const, maxRegression: 0.02 }),
    revertAfter: fc.integer({ min: 1, max: 2 }),
    shadow: fc.constant(noTrial.shadow),
    canary: fc.constant(noTrial.canary),
    guard: fc.constant(noTrial.guard),
  }),
  monitor: fc.constant(undefined),
  retryMs: fc.constant(5 * SECOND_MS),
  absentMs: fc.constant(200 * SECOND_MS),
  maxDevices: fc.constantFrom(4, 100),
});

/** What happens next; what it means depends on where the federation stands by then. */
const move = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("hello" as const),
      device,
      isAble: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant("update" as const),
      device,
      /** From the member whose place in the round this is, if it has so many that have not delivered. */
      place: fc.option(fc.nat(3), { nil: undefined, freq: 4 }),
      /** Rounds ago. */
      age: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 70, -1),
      norm: fc.double({ min: 0, max: 5, noNaN: true }),
      error: fc.double({ min: 0, max: 2, noNaN: true }),
      isGood: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
      nonce: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("decline" as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("progress" as const), device }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("make" as const),
      isSound: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 50_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("restart" as const),
      downtimeMs: fc.integer({ min: 0, max: 90_000 }),
    }),
  },
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

/** A shell without a disk or a network. */
class History {
  readonly events: RoundEvent[] = [];
  readonly facts: ServerFact[] = [];
  readonly writes: Write[] = [];
  readonly words = new Map<string, string>();
  state: RoundsState = initialState;
  nowMs = 1_000_000;
  pending: MakeCommand | undefined;
  readonly #policy: Policy;

  constructor(rules: Policy) {
    this.#policy = rules;
    this.happen({ type: "recovered", downtimeMs: 0 });
  }

  happen(occurrence: Occurrence): Step {
    const event = { ...occurrence, nowMs: this.nowMs };
    const before = this.state;
    const step = decide(before, event, this.#policy);
    this.events.push(event);
    this.state = step.state;
    this.writes.push(...step.writes);
    for (const command of step.commands) this.#carryOut(command);
    expect(step.state.lastVersion).toBeGreaterThanOrEqual(before.lastVersion);
    expect(step.state.nextRound).toBeGreaterThanOrEqual(before.nextRound);
    if (before.finished !== null) expect(step.state.open).toBeNull();
    return step;
  }

  play(next: Move): void {
    const { open } = this.state;
    switch (next.do) {
      case "hello":
        this.happen({
          type: "hello",
          device: next.device,
          canTrain: next.isAble,
          canEvaluate: next.isAble,
          labels: {},
        });
        return;
      case "decline":
        this.happen({ type: "declined", device: next.device, round: open?.round ?? 1, reason: "busy" });
        return;
      case "progress":
        this.happen({ type: "progressed", device: next.device, round: open?.round ?? 1 });
        return;
      case "update":
        this.#update(next);
        return;
      case "make":
        this.#make(next.isSound);
        return;
      case "wait":
        this.wait(next.ms);
        return;
      case "restart":
        this.#restart(next.downtimeMs);
    }
  }

  /** Lets time pass as the coordinator's timer does: with a tick whenever time alone changes something. */
  wait(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let wakeMs = nextWakeMs(this.state); wakeMs !== undefined && wakeMs <= endMs; ) {
      this.nowMs = Math.max(this.nowMs, wakeMs);
      this.happen({ type: "tick" });
      const next = nextWakeMs(this.state);
      expect(next ?? Number.POSITIVE_INFINITY).toBeGreaterThan(wakeMs);
      wakeMs = next;
    }
    this.nowMs = endMs;
  }

  #update({ device: some, place, age, norm, error, isGood, nonce }: Extract<Move, { do: "update" }>): void {
    const { open } = this.state;
    const waiting = [...(open?.members ?? [])].filter(([, { status }]) => status !== "accepted");
    const sender = waiting[place ?? -1]?.[0] ?? some;
    const round = this.state.nextRound - 1 - age;
    const updateId = `${sender}-${round}-${nonce}` as UpdateId;
    // Whoever has a word already gets it from where it is kept.
    if (this.words.has(updateId)) return;
    const sums = { rows: 2, squaredError: 2 * error ** 2, absoluteError: error, loss: error, correct: 0 };
    const verdict: Verdict = isGood
      ? {
          ok: true,
          examples: 1,
          norm: open?.kind === "train" ? norm : null,
          sums: open?.kind === "evaluate" ? sums : null,
        }
      : { ok: false, reason: "not-finite" };
    const before = this.state;
    const { kind, baseVersion } = open ?? {};
    const step = this.happen({ type: "update", device: sender, round, updateId, kind, baseVersion, verdict });
    const isOpen = before.open?.round === round && !before.open.isClosing;
    // A late update counts for nothing.
    if (!isOpen) expect(step.state).toBe(before);
    expect(step.commands.filter(({ type }) => type === "word")).toHaveLength(1);
  }

  #make(isSound: boolean): void {
    const command = this.pending;
    if (command === undefined) return;
    this.pending = undefined;
    const round = "round" in command ? command.round : 0;
    const isPossible = isSound || command.type !== "fold";
    this.happen(
      isPossible ? { type: "version-made", round, version: command.version } : { type: "unfoldable", round },
    );
  }

  #restart(downtimeMs: number): void {
    const command = this.pending;
    this.state = parseState(stringifyState(this.state));
    this.nowMs += downtimeMs;
    this.pending = undefined;
    this.happen({ type: "recovered", downtimeMs });
    expect(this.pending).toEqual(command);
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "tell":
        this.facts.push(command.fact);
        return;
      case "word":
        this.words.set(command.word.updateId, command.word.status);
        return;
      case "initialise":
      case "fit":
      case "fold":
      case "revert":
        expect(this.pending).toBeUndefined();
        this.pending = command;
        return;
      default:
        return;
    }
  }

  told<Type extends ServerFact["type"]>(type: Type): Extract<ServerFact, { type: Type }>[] {
    return this.facts.filter((fact): fact is Extract<ServerFact, { type: Type }> => fact.type === type);
  }
}

function everyHistory(law: (history: History, rules: Policy, moves: readonly Move[]) => void): void {
  fc.assert(
    fc.property(policy, fc.array(move, { maxLength: 150, size: "max" }), (rules, moves) => {
      const history = new History(rules);
      for (const each of devices) history.play({ do: "hello", device: each, isAble: true });
      law(history, rules, moves);
    }),
    { numRuns: 150 },
  );
}

describe("in every history", () => {
  test("a round has ended, or is being folded, by its deadline", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) {
        history.play(next);
        const { open } = history.state;
        if (open !== null && !open.isClosing) expect(open.deadlineMs).toBeGreaterThan(history.nowMs);
      }
    });
  });

  test("rounds are opened and closed in turn, and every opened one closes once versions are made", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) history.play(next);
      history.wait(60 * SECOND_MS);
      history.play({ do: "make", isSound: true });
      const opened = history.told("round-opened").map(({ round }) => round);
      expect(opened).toEqual(opened.map((_, at) => at + 1));
      const closed = history.told("round-closed").map(({ round }) => round);
      expect(closed).toEqual(opened.slice(0, closed.length));
      expect(closed.length).toBeGreaterThanOrEqual(opened.length - 1);
    });
  });

  test("no device is folded twice, and exactly the accepted updates of a completed round are, by device id", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) history.play(next);
      for (const { round, outcome, folded } of history.told("round-closed")) {
        const accepted = history
          .told("update-accepted")
          .filter((fact) => fact.round === round)
          .map((fact) => ({ device: fact.device, updateId: fact.updateId }))
          .sort((a, b) => (a.device < b.device ? -1 : 1));
        expect(folded).toEqual(outcome === "completed" ? accepted : []);
        expect(new Set(accepted.map((each) => each.device)).size).toBe(accepted.length);
      }
    });
  });

  test("a round completes with its quorum and at most its target", () => {
    everyHistory((history, _, moves) => {
      const plans = new Map<number, { readonly quorum: number; readonly target: number }>();
      for (const next of moves) {
        history.play(next);
        if (history.state.open !== null) plans.set(history.state.open.round, history.state.open);
      }
      for (const { round, outcome, folded } of history.told("round-closed")) {
        const plan = plans.get(round);
        if (outcome === "abandoned" || plan === undefined) continue;
        expect(folded.length).toBeGreaterThanOrEqual(plan.quorum);
        expect(folded.length).toBeLessThanOrEqual(plan.target);
      }
    });
  });

  test("only members are accepted: the cohort and those asked in a lost member's place", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) history.play(next);
      for (const { round, device: sender } of history.told("update-accepted")) {
        const { cohort: asked } = history.told("round-opened").find((fact) => fact.round === round)!;
        const replaced = history.told("member-replaced").filter((fact) => fact.round === round);
        expect([...asked, ...replaced.map(({ by }) => by)]).toContain(sender);
        const joined = [...asked, ...replaced.flatMap(({ by }) => (by === undefined ? [] : [by]))];
        expect(new Set(joined).size).toBe(joined.length);
      }
    });
  });

  test("replaying the journal gives the same state, through any snapshot", () => {
    everyHistory((history, rules, moves) => {
      for (const next of moves) history.play(next);
      const middle = history.events.length >> 1;
      const replayed = history.events.reduce((state, event, at) => {
        const from = at === middle ? parseState(stringifyState(state)) : state;
        return decide(from, event, rules).state;
      }, initialState);
      expect(stringifyState(replayed)).toBe(stringifyState(history.state));
    });
  });

  test("stable only moves forward, and only through a passed gate", () => {
    everyHistory((history, _, moves) => {
      let stable = 0;
      for (const next of moves) {
        history.play(next);
        expect(history.state.stable).toBeGreaterThanOrEqual(stable);
        if (history.state.stable > stable) {
          stable = history.state.stable;
          expect(history.told("gate").at(-1)).toMatchObject({ version: stable, passed: true });
        }
      }
    });
  });

  test("the state stays bounded", () => {
    everyHistory((history, rules, moves) => {
      for (const next of moves) history.play(next);
      expect(history.state.fleet.size).toBeLessThanOrEqual(rules.maxDevices);
      expect(history.state.norms.length).toBeLessThanOrEqual(256);
    });
  });
});
