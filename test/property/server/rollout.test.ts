// Laws of releases, trials and learning anew, over any history of events.

import { describe, expect, test } from "vitest";
import { everyRollout } from "../../support/rollout-history.js";
import { SECOND_MS } from "../../support/round-moves.js";
import { everyHistory } from "../../support/rounds-history.js";

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
