// Laws of rounds, over any history of events.

import { describe, expect, test } from "vitest";
import { decide } from "../../../server/round/decide.js";
import { initialState, parseState, stringifyState } from "../../../server/round/state.js";
import { SECOND_MS } from "../../support/round-moves.js";
import { everyHistory } from "../../support/rounds-history.js";

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

  test("train rounds open no closer together than the task keeps them, and by the clock when devices are there", () => {
    everyHistory((history, { rounds, selection }, moves) => {
      let openedMs = Number.NEGATIVE_INFINITY;
      let round = 0;
      for (const next of moves) {
        history.play(next);
        // Several may have opened while time passed; each is told in the journal with its time.
        for (const write of history.writes) {
          if (write.type !== "begin-round" || write.kind !== "train" || write.round <= round) continue;
          // But for learning anew, which is urgent, and candidates, which train one after the other.
          if (history.told("retraining").length === 0 && selection === undefined)
            expect(write.openedMs - openedMs).toBeGreaterThanOrEqual(rounds.everyMs);
          ({ round, openedMs } = write);
        }
        const { state, nowMs } = history;
        const isIdle = state.open === null && state.making === null && state.finished === null;
        if (isIdle && state.trainRounds >= state.retrainUntil && state.trainFromMs > 0)
          expect(state.trainFromMs).toBeGreaterThan(nowMs);
      }
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

  test("the state stays bounded", () => {
    everyHistory((history, rules, moves) => {
      for (const next of moves) history.play(next);
      expect(history.state.fleet.size).toBeLessThanOrEqual(rules.maxDevices);
      expect(history.state.norms.length).toBeLessThanOrEqual(256);
    });
  });
});
