// Laws of a selection between candidates, over any history of events.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ServerFact } from "../../../server/fact.js";
import type { MakeCommand } from "../../../server/round/command.js";
import { decide } from "../../../server/round/decide.js";
import type { Verdict } from "../../../server/round/event.js";
import type { Policy } from "../../../server/round/policy.js";
import { initialState, parseState, stringifyState } from "../../../server/round/state.js";
import { aliveArms } from "../../../server/select/state.js";
import type { DeviceId, UpdateId } from "../../../shared/id.js";
import { noTrial } from "../../support/no-trial.js";
import { everyHistory, History } from "../../support/rounds-history.js";

const metric = "rmse";

function policyOf(options: {
  readonly arms: number;
  readonly rungs: readonly number[];
  readonly cohort: number;
  readonly needsFit: boolean;
}): Policy {
  const plan = { cohort: { kind: "count", count: options.cohort }, quorum: 0.5, deadlineMs: 60_000 } as const;
  const arms = Array.from({ length: options.arms }, (_, at) => ({
    name: `arm-${at}`,
    parameters: 100 - at,
    bytes: 4 * (100 - at),
  }));
  return {
    ...{ seed: "selection", needsFit: options.needsFit, monitor: undefined },
    ...{ retryMs: 5_000, absentMs: 1e9, maxDevices: 100 },
    rounds: {
      ...plan,
      ...{
        minDevices: 1,
        overSelect: 0,
        everyMs: 0,
        leaseMs: 60_000,
        max: 2,
        minExamples: 1,
        stop: undefined,
      },
    },
    evaluate: { ...plan, every: 1 },
    rollout: { ...noTrial, gate: { metric, maxRegression: 0.02 }, revertAfter: 2 },
    selection: { arms, rungs: options.rungs, eta: 3, metric, latencyMs: undefined },
  };
}

/** A fleet that does what it is asked; what an arm is worth is its place in `errors`. Every n-th round nobody answers. */
class Fleet extends History {
  readonly #errors: readonly number[];
  readonly #silence: number;
  readonly #armOf = new Map<number, number>();
  readonly #devices: readonly DeviceId[];

  constructor(
    policy: Policy,
    {
      devices,
      errors,
      silence,
    }: { readonly devices: number; readonly errors: readonly number[]; readonly silence: number },
  ) {
    super(policy);
    this.#errors = errors;
    this.#silence = silence;
    this.#devices = Array.from({ length: devices }, (_, at) => `device-${at}` as DeviceId);
  }

  /** Every round is answered. */
  get answersAlways(): boolean {
    return this.#silence === 0;
  }

  /** Until training is over. Throws when that is not in sight. */
  run(): this {
    for (const device of this.#devices) {
      this.happen({ type: "hello", device, canTrain: true, canEvaluate: true, labels: {} });
    }
    for (let steps = 0; this.state.finished === null; steps++) {
      expect(steps).toBeLessThan(2_000);
      this.#step();
    }
    return this;
  }

  #step(): void {
    if (this.pending !== undefined) {
      this.#make(this.pending);
      return;
    }
    const { open } = this.state;
    expect(open).not.toBeNull();
    const waiting = [...(open?.members ?? [])].filter(([, { status }]) => status === "assigned");
    const isSilent = this.#silence > 0 && (open?.round ?? 0) % this.#silence === 0;
    const [next] = waiting;
    if (open === null || isSilent || next === undefined) {
      this.wait(30_000);
      return;
    }
    const [device] = next;
    const { round, kind, baseVersion } = open;
    const updateId = `${device}-${round}` as UpdateId;
    const verdict = this.#verdict(device);
    this.happen({ type: "update", device, round, updateId, kind, baseVersion, verdict });
  }

  #verdict(device: DeviceId): Verdict {
    const { open } = this.state;
    const place = this.#devices.indexOf(device);
    const sumsOf = (version: number) => {
      const error = (this.#errors[this.#armOf.get(version) ?? 0] ?? 1) * (1 + place / 100);
      return { rows: 10, squaredError: 10 * error ** 2, absoluteError: 10 * error, loss: error, correct: 0 };
    };
    const scores = open?.kind === "evaluate" ? sumsOf(open.baseVersion) : null;
    const beside = open?.beside && {
      sums: open.beside.map(sumsOf),
      elapsedMs: [1, ...open.beside.map(() => 1)],
    };
    return {
      ok: true,
      examples: 1,
      norm: open?.kind === "train" ? 1 : null,
      sums: scores,
      ...(beside && { beside }),
    };
  }

  #make(command: MakeCommand): void {
    this.pending = undefined;
    const { version } = command;
    if (command.type === "start") this.#armOf.set(version, Number(command.arm.slice(4)));
    else if (command.type === "fold") this.#armOf.set(version, this.#armOf.get(command.base) ?? 0);
    else this.#armOf.set(version, 0);
    const round = "round" in command ? command.round : 0;
    this.happen({ type: "version-made", round, version });
  }

  armOf(version: number): number | undefined {
    return this.#armOf.get(version);
  }
}

const arms = fc.integer({ min: 2, max: 6 });

function everyFleet(law: (fleet: Fleet, policy: Policy, errors: readonly number[]) => void): void {
  const setting = fc.record({
    arms,
    rungs: fc.constantFrom([1], [1, 3], [2, 3, 5]),
    cohort: fc.integer({ min: 2, max: 8 }),
    needsFit: fc.boolean(),
    devices: fc.integer({ min: 2, max: 8 }),
    silence: fc.constantFrom(0, 0, 3, 5),
    errors: fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 6, maxLength: 6 }),
  });
  fc.assert(
    fc.property(setting, ({ devices, silence, errors, ...rest }) => {
      const cohort = Math.min(rest.cohort, devices);
      const policy = policyOf({ ...rest, cohort });
      law(new Fleet(policy, { devices, errors, silence }).run(), policy, errors);
    }),
    { numRuns: 100 },
  );
}

describe("with a fleet that answers, most of the time", () => {
  test("every selection ends, with the best arm as head's line", () => {
    everyFleet((fleet, policy, errors) => {
      const [selected, ...more] = fleet.told("selected");
      expect(more).toEqual([]);
      const tried = errors.slice(0, policy.selection?.arms.length);
      expect(selected?.arm).toBe(`arm-${tried.indexOf(Math.min(...tried))}`);
      expect(fleet.state.selection?.winner).toBe(selected?.arm);
      const trained = fleet
        .told("round-opened")
        .filter(({ kind }) => kind === "train")
        .slice(-2);
      for (const { baseVersion } of trained) expect(`arm-${fleet.armOf(baseVersion)}`).toBe(selected?.arm);
    });
  });

  test("rounds and comparisons are no more than the rungs allow", () => {
    everyFleet((fleet, { selection }) => {
      const { arms: all = [], rungs = [] } = selection ?? {};
      expect(fleet.told("selection-rung").length).toBeLessThanOrEqual(rungs.length);
      const closed = fleet.told("round-closed").filter(({ kind }) => kind === "train");
      expect(closed.length).toBeLessThanOrEqual(2 * all.length * (rungs.at(-1) ?? 0) + 2 * 3);
    });
  });

  test("arms of one turn ask the same devices, and each has its turn", () => {
    everyFleet((fleet, { selection }) => {
      const until = fleet.told("selection-rung")[0] as ServerFact;
      const before = fleet.facts.slice(0, fleet.facts.indexOf(until));
      const opened = before.flatMap((fact) =>
        fact.type === "round-opened" && fact.kind === "train" ? [fact] : [],
      );
      const count = selection?.arms.length ?? 0;
      expect(opened.length).toBeGreaterThanOrEqual(count);
      // An abandoned round is made up for out of turn.
      const last = fleet.answersAlways ? opened.length - count : 0;
      for (let at = 0; at <= last; at += count) {
        const turn = opened.slice(at, at + count);
        expect(turn.map(({ baseVersion }) => fleet.armOf(baseVersion))).toEqual([...turn.keys()]);
        expect(new Set(turn.map(({ cohort }) => cohort.join())).size).toBe(1);
      }
    });
  });

  test("replaying the journal gives the same state, through any snapshot", () => {
    everyFleet((fleet, policy) => {
      const replayed = fleet.events.reduce(
        (state, event) => decide(parseState(stringifyState(state)), event, policy).state,
        initialState,
      );
      expect(stringifyState(replayed)).toBe(stringifyState(fleet.state));
    });
  });
});

test("in every history, versions of arms that are in are kept, and nothing is served before one is left", () => {
  everyHistory((history, { selection: rules }, moves) => {
    if (rules === undefined) return;
    let seen = history.writes.length;
    for (const next of moves.filter((each) => each.do !== "operator")) {
      history.play(next);
      const { selection, stable } = history.state;
      if (selection?.winner === null) expect(stable).toBe(0);
      const needed =
        selection === null ? [] : aliveArms(selection).flatMap(({ first, head }) => [first, head]);
      for (const write of history.writes.slice(seen)) {
        if (write.type !== "prune-versions" || selection?.winner !== null) continue;
        for (const version of needed.filter((each) => each > 0)) {
          expect(version > write.through || write.keep.includes(version)).toBe(true);
        }
      }
      seen = history.writes.length;
    }
  });
});
