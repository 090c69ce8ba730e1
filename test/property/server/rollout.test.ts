// Laws of releases, trials and learning anew, over any history of events.

import { describe, expect, test } from "vitest";
import type { MakeCommand } from "../../../server/round/command.js";
import { everyMeddledRollout, everyRollout } from "../../support/rollout-history.js";
import { type Move, SECOND_MS } from "../../support/round-moves.js";
import { everyHistory, type History } from "../../support/rounds-history.js";

describe("in every history", () => {
  test("stable only moves forward, and only through a passed gate, when nobody intervenes", () => {
    everyHistory((history, _, moves) => {
      let stable = 0;
      for (const next of moves.filter((each) => each.do !== "operator")) {
        history.play(next);
        expect(history.state.stable).toBeGreaterThanOrEqual(stable);
        if (history.state.stable > stable) {
          stable = history.state.stable;
          const passed = history.told("gate").filter((fact) => fact.passed);
          expect(passed.map(({ version }) => version)).toContain(stable);
        }
      }
    });
  });

  test("after the first, a version becomes stable only through every step of its trial, each checked and passed", () => {
    let promoted = 0;
    everyRollout((history, { rollout }) => {
      const steps = [
        ...(rollout.shadow === undefined ? [] : ["shadow 0"]),
        ...(rollout.canary?.steps ?? []).map((_, at) => `canary ${at}`),
      ];
      const [, ...later] = history.stables();
      promoted += later.length;
      for (const { version } of later) {
        const started = history.told("trial-started").filter((fact) => fact.version === version);
        expect(started.map(({ mode, step }) => `${mode} ${step}`)).toEqual(steps);
        const passed = history
          .told("trial-checked")
          .filter((fact) => fact.version === version && fact.problems.length === 0)
          .map(({ mode, step }) => `${mode} ${step}`);
        for (const each of steps) expect(passed).toContain(each);
      }
    });
    // Nothing is said about trials where none ends well.
    expect(promoted).toBeGreaterThan(20);
  });

  test("every trial ends, whether its devices answer or not", () => {
    everyRollout((history) => {
      for (let checks = 0; checks < 40; checks++) {
        history.wait(10 * SECOND_MS);
        history.answerCheck({ labelled: 0, worse: 0, failed: 0, reporting: checks % 2 === 0 ? 0 : 1 });
      }
      expect(history.state.trial).toBeNull();
    });
  });

  test("nothing made from a version that was taken back is ever served, unless an operator says so", () => {
    let takenBack = 0;
    const law = (history: History, moves: Iterable<Move>) => {
      const trust = new Trust();
      for (const next of moves) {
        const made = history.pending;
        const { lastVersion } = history.state;
        const before = { facts: history.facts.length, releases: history.releases.length };
        const by = next.do === "operator" ? chosenBy(history, next) : undefined;
        const lost = by?.lost;
        history.play(next);
        if (made !== undefined && history.state.lastVersion > lastVersion) trust.made(made);
        if (by?.served !== undefined) trust.marks.set(by.served, "trusted");
        for (const fact of history.facts.slice(before.facts)) {
          if (fact.type === "trial-ended" && fact.outcome === "rolled-back") trust.takeBack(fact.version);
        }
        if (lost !== undefined) trust.takeBack(lost);
        for (const { stable, trial } of history.releases.slice(before.releases)) {
          expect(trust.isTakenBack(stable)).toBe(false);
          if (trial !== null) expect(trust.isTakenBack(trial.version)).toBe(false);
        }
      }
      takenBack += trust.takenBack;
    };
    everyHistory((history, _, moves) => law(history, moves));
    everyMeddledRollout(law);
    expect(takenBack).toBeGreaterThan(100);
  });

  test("devices hear of every change by a greater sequence, and of nothing else", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) history.play(next);
      const bySequence = new Map<number, string>();
      let newest = 0;
      for (const { sequence, stable, trial } of history.releases) {
        expect(sequence).toBeGreaterThanOrEqual(newest);
        newest = sequence;
        const said = JSON.stringify({ stable, trial });
        expect(bySequence.get(sequence) ?? said).toBe(said);
        bySequence.set(sequence, said);
      }
      const { sequence, stable, trial } = history.state;
      if (sequence > 0) expect(history.releases.at(-1)).toMatchObject({ sequence, stable });
      expect(history.releases.at(-1)?.trial?.version).toBe(trial?.version);
    });
  });

  test("the fleet learns anew no more often than cool-down and cap allow", () => {
    everyHistory((history, { monitor }, moves) => {
      const startedMs: number[] = [];
      for (const next of moves) {
        const before = history.told("retraining").length;
        history.play(next);
        if (history.told("retraining").length > before) startedMs.push(history.nowMs);
      }
      if (monitor?.retrain === undefined) expect(startedMs).toEqual([]);
      startedMs.forEach((ms, at) => {
        expect(ms - (startedMs[at - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(60 * SECOND_MS);
      });
      expect(startedMs.length).toBeLessThanOrEqual(3);
    });
  });

  test("only devices that are there are in quarantine", () => {
    everyHistory((history, { absentMs }, moves) => {
      for (const next of moves) {
        history.play(next);
        // That is seen when somebody says hello.
        const nowMs = history.events.findLast(({ type }) => type === "hello")?.nowMs ?? 0;
        for (const each of history.state.quarantined.keys()) {
          const known = history.state.fleet.get(each);
          expect(known).toBeDefined();
          expect(nowMs - known!.seenMs).toBeLessThan(absentMs);
        }
      }
    });
  });

  test("no device in quarantine is asked", () => {
    everyHistory((history, _, moves) => {
      for (const next of moves) {
        const { quarantined } = history.state;
        const before = history.told("round-opened").length;
        history.play(next);
        for (const { cohort: asked } of history.told("round-opened").slice(before)) {
          for (const each of asked)
            expect(quarantined.has(each) && history.state.quarantined.has(each)).toBe(false);
        }
      }
    });
  });
});

/** Who was made from whom, and what was said of whom: kept apart from what the server remembers of it. */
class Trust {
  readonly marks = new Map<number, "trusted" | "taken-back">();
  readonly #from = new Map<number, number>();
  takenBack = 0;

  made(command: MakeCommand): void {
    const from = command.type === "fold" ? command.base : command.type === "revert" ? command.from : 0;
    this.#from.set(command.version, from);
  }

  takeBack(version: number): void {
    this.marks.set(version, "taken-back");
    this.takenBack += 1;
  }

  /** The nearest word counts, on the way back to the first version. */
  isTakenBack(version: number): boolean {
    for (let at = version; at > 0; at = this.#from.get(at) ?? 0) {
      const mark = this.marks.get(at);
      if (mark !== undefined) return mark === "taken-back";
    }
    return false;
  }
}

/** What an operator has served by a move, and what is taken back by it without a trial. */
function chosenBy(
  { state }: History,
  { does, version }: Extract<Move, { do: "operator" }>,
): { readonly served?: number; readonly lost?: number } {
  const { stable, trial, previous, lastVersion } = state;
  const chosen = version !== null && version <= lastVersion ? version : undefined;
  if (does === "promote") return chosen === undefined ? {} : { served: chosen };
  if (trial !== null && chosen === undefined) return {};
  const target = chosen ?? previous?.version;
  return target === undefined || target === stable ? {} : { served: target, lost: stable };
}
