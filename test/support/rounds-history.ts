// A random history of a federation: any order of messages, losses, restarts and passing time, without disk or network.

import fc from "fast-check";
import { expect } from "vitest";
import type { ServerFact } from "../../server/fact.js";
import type { Command, MakeCommand, Step, Write } from "../../server/round/command.js";
import { decide, nextWakeMs } from "../../server/round/decide.js";
import type { BesideScores, Occurrence, RoundEvent, Verdict } from "../../server/round/event.js";
import type { Policy } from "../../server/round/policy.js";
import { initialState, parseState, type RoundsState, stringifyState } from "../../server/round/state.js";
import type { SelectionPolicy } from "../../server/select/state.js";
import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { CanarySpec, MonitorSpec } from "../../shared/task/task.js";
import { noTrial } from "./no-trial.js";

export const devices = ["a", "b", "c", "d", "e", "f"] as DeviceId[];
const device = fc.constantFrom(...devices);
export const SECOND_MS = 1000;

const cohort = fc.oneof(
  fc.constant({ kind: "all" } as const),
  fc.double({ min: 0.1, max: 1, noNaN: true }).map((fraction) => ({ kind: "fraction", fraction }) as const),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ kind: "count", count }) as const),
);
const quorum = fc.double({ min: 0.1, max: 1, noNaN: true });

const canary = (soakMs: number): CanarySpec => ({
  steps: [
    { kind: "count", count: 1 },
    { kind: "share", share: 0.5 },
  ],
  ...{ labels: {}, soakMs, rows: 10 },
});

const learningAnew: MonitorSpec = {
  ...{
    window: 100,
    concept: undefined,
    data: undefined,
    seasonMs: undefined,
    reportMs: 5 * SECOND_MS,
    limits: [],
  },
  retrain: { when: ["drift"], share: 0.3, cooldownMs: 60 * SECOND_MS, perDay: 3, rounds: 2 },
  quarantine: { afterMs: 10 * SECOND_MS, share: 0.5 },
};

const halving: SelectionPolicy = {
  arms: ["one", "three", "two"].map((name, at) => ({
    name,
    parameters: 10 * (at + 1),
    bytes: 40 * (at + 1),
  })),
  ...{ rungs: [1, 2], eta: 3, metric: "rmse", latencyMs: undefined },
};

export const policy: fc.Arbitrary<Policy> = fc.record({
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
    everyMs: fc.constantFrom(0, 0, 20 * SECOND_MS, 300 * SECOND_MS),
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
    shadow: fc.constantFrom(undefined, undefined, { share: 0.5, rows: 10, forMs: 40 * SECOND_MS }),
    canary: fc.constantFrom(undefined, canary(0), canary(20 * SECOND_MS)),
    guard: fc.constant({ ...noTrial.guard, checkMs: 10 * SECOND_MS, silentMs: 30 * SECOND_MS }),
  }),
  monitor: fc.constantFrom(undefined, learningAnew),
  selection: fc.constantFrom(undefined, undefined, halving),
  retryMs: fc.constant(5 * SECOND_MS),
  absentMs: fc.constant(200 * SECOND_MS),
  maxDevices: fc.constantFrom(4, 100),
});

/** What happens next; what it means depends on where the federation stands by then. */
export const move = fc.oneof(
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
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("evidence" as const),
      labelled: fc.constantFrom(0, 10, 10, 10),
      worse: fc.constantFrom(-0.1, 0, 0, 0, 0.5),
      failed: fc.constantFrom(0, 0, 0, 0, 0, 1),
      reporting: fc.constantFrom(0, 1, 1, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("retrain" as const), sinceMs: fc.constantFrom(null, 5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("quarantine" as const), device, isLifted: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("operator" as const),
      does: fc.constantFrom("promote" as const, "roll-back" as const),
      version: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("restart" as const),
      downtimeMs: fc.integer({ min: 0, max: 90_000 }),
    }),
  },
);
export type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

/** A shell without a disk or a network. */
export class History {
  readonly events: RoundEvent[] = [];
  readonly facts: ServerFact[] = [];
  readonly writes: Write[] = [];
  readonly words = new Map<string, string>();
  state: RoundsState = initialState;
  nowMs = 1_000_000;
  pending: MakeCommand | undefined;
  readonly published: Extract<Command, { type: "publish" }>[] = [];
  readonly releases: Extract<Command, { type: "release" }>[] = [];
  asked: Extract<Command, { type: "pool-evidence" }> | undefined;
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
    if (step.state.finished !== null) expect(step.state.open).toBeNull();
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
      case "evidence":
        this.answerCheck(next);
        return;
      case "retrain":
        this.happen({ type: "retrain", reason: "drift", devices: 2, share: 0.5, sinceMs: next.sinceMs });
        return;
      case "quarantine":
        this.happen(
          next.isLifted
            ? { type: "quarantine-lifted", device: next.device }
            : { type: "quarantine", device: next.device, reason: "drifts-alone" },
        );
        return;
      case "operator":
        this.#obey(next);
        return;
      case "restart":
        this.#restart(next.downtimeMs);
    }
  }

  /** What the devices in trial report, if that has been asked for. */
  answerCheck({ labelled, worse, failed, reporting }: Omit<Extract<Move, { do: "evidence" }>, "do">): void {
    const asked = this.asked;
    this.asked = undefined;
    if (asked === undefined) return;
    const evidence = {
      ...{ devices: 1, reporting, silent: 1 - reporting, failed, rows: 100, invalid: 0, latencyRatio: 1 },
      ...{ labelled, value: 1 + worse, reference: 1 },
    };
    this.happen({ type: "trial-evidence", version: asked.version, step: asked.step, evidence });
  }

  #obey({ does, version }: Extract<Move, { do: "operator" }>): void {
    // The shell lets only kept versions through.
    const isKept = version !== null && version <= this.state.lastVersion;
    if (does === "promote" && isKept) this.happen({ type: "promote", version, value: 1 });
    if (does === "roll-back") this.happen({ type: "roll-back", to: isKept ? { version, value: 1 } : null });
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
          ...(open?.beside && { beside: besideOf(open.beside, sums) }),
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
      case "publish":
        this.published.push(command);
        return;
      case "release":
        this.releases.push(command);
        return;
      case "pool-evidence":
        this.asked = command;
        return;
      case "word":
        this.words.set(command.word.updateId, command.word.status);
        return;
      case "initialise":
      case "fit":
      case "fold":
      case "start":
      case "revert":
        expect(this.pending).toBeUndefined();
        this.pending = command;
        return;
      default:
        return;
    }
  }

  /** Versions that became stable, in order. */
  stables(): { readonly version: number }[] {
    return this.published.filter(({ line }) => line === "stable");
  }

  told<Type extends ServerFact["type"]>(type: Type): Extract<ServerFact, { type: Type }>[] {
    return this.facts.filter((fact): fact is Extract<ServerFact, { type: Type }> => fact.type === type);
  }
}

/** The later a version, the better. */
function besideOf(versions: readonly number[], sums: MetricSums): BesideScores {
  return {
    sums: versions.map((version) => ({ ...sums, squaredError: sums.squaredError / version })),
    elapsedMs: [0, ...versions.map(() => 1)],
  };
}

export function everyHistory(law: (history: History, rules: Policy, moves: readonly Move[]) => void): void {
  fc.assert(
    fc.property(policy, fc.array(move, { maxLength: 150, size: "max" }), (rules, moves) => {
      const history = new History(rules);
      for (const each of devices) history.play({ do: "hello", device: each, isAble: true });
      law(history, rules, moves);
    }),
    { numRuns: 150 },
  );
}
