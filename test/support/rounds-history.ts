// A random history of a federation: any order of messages, losses, restarts and passing time, without disk or network.

import fc from "fast-check";
import { expect } from "vitest";
import type { ServerFact } from "../../server/fact.js";
import type { Command, MakeCommand, Step, Write } from "../../server/round/command.js";
import { decide, nextWakeMs } from "../../server/round/decide.js";
import type { BesideScores, Occurrence, RoundEvent, Verdict } from "../../server/round/event.js";
import type { Policy } from "../../server/round/policy.js";
import { initialState, parseState, type RoundsState, stringifyState } from "../../server/round/state.js";
import type { UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import { devices, type Move, move, policy } from "./round-moves.js";

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
    const judged = labelled >= 10 ? reporting : 0;
    const isWorse = worse > 0.05;
    const evidence = {
      ...{ devices: 1, reporting, silent: 1 - reporting, failed, rows: 100, invalid: 0, latencyRatio: 1 },
      ...{ labelled, value: 1 + worse, reference: 1, regression: worse },
      votes: { invalid: 0, slow: 0, judged, worse: isWorse ? judged : 0, good: isWorse ? 0 : judged },
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
