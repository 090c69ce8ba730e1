// Histories in which versions come on trial: of a fleet that mostly does what it is asked.

import fc from "fast-check";
import type { Policy } from "../../server/round/policy.js";
import { devices, type Move, move, policy, SECOND_MS } from "./round-moves.js";
import { History } from "./rounds-history.js";

const compliance = fc.record({
  /** What the fleet's rows say of a version. */
  error: fc.constantFrom(1, 1, 1, 2),
  evidence: fc.record({
    do: fc.constant("evidence" as const),
    labelled: fc.constantFrom(10, 10, 10, 10, 0),
    worse: fc.constantFrom(0, 0, 0, 0, 0, 0, 0.5),
    failed: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    reporting: fc.constant(1),
  }),
});
type Compliance = typeof compliance extends fc.Arbitrary<infer C> ? C : never;

const rules = policy
  .filter(({ rollout: { shadow, canary } }) => shadow !== undefined || canary !== undefined)
  .map((some): Policy => ({ ...some, selection: undefined, rounds: { ...some.rounds, everyMs: 0, max: 5 } }));
const other: fc.Arbitrary<Move> = move.filter((next) => next.do !== "operator" && next.do !== "hello");
const steps = fc.array(fc.oneof({ weight: 20, arbitrary: compliance }, { weight: 1, arbitrary: other }), {
  minLength: 60,
  maxLength: 150,
  size: "max",
});

/** Every version that passes the gate is tried; no operator intervenes. */
export function everyRollout(law: (history: History, rules: Policy) => void): void {
  fc.assert(
    fc.property(rules, steps, (some, played) => {
      const history = new History(some);
      for (const next of movesOf(history, played)) history.play(next);
      law(history, some);
    }),
    { numRuns: 150 },
  );
}

/** The same fleet, with an operator and a fleet that drifts in between; `law` plays the moves. */
export function everyMeddledRollout(law: (history: History, moves: Iterable<Move>) => void): void {
  const meddling = move.filter(({ do: what }) => ["operator", "retrain", "restart"].includes(what));
  const many = fc.array(fc.oneof({ weight: 12, arbitrary: compliance }, { weight: 1, arbitrary: meddling }), {
    minLength: 60,
    maxLength: 200,
    size: "max",
  });
  fc.assert(
    fc.property(rules, many, (some, played) => {
      const history = new History(some);
      law(history, movesOf(history, played));
    }),
    { numRuns: 150 },
  );
}

/** Each is looked for once those before it have been played. */
function* movesOf(history: History, played: readonly (Compliance | Move)[]): Iterable<Move> {
  for (const next of played) {
    if ("do" in next) yield next;
    else yield* due(history, next);
  }
}

/** What is due; when nothing is, the devices say hello and time passes. */
function due({ state, pending, asked }: History, { error, evidence }: Compliance): readonly Move[] {
  const members = [...(state.open?.members.values() ?? [])];
  const place = members
    .filter(({ status }) => status !== "accepted")
    .findIndex(({ status }) => status === "assigned");
  if (pending !== undefined) return [{ do: "make", isSound: true }];
  if (asked !== undefined) return [evidence];
  if (place < 0) {
    const hellos = devices.map((device) => ({ do: "hello", device, isAble: true }) as const);
    return [...hellos, { do: "wait", ms: 10 * SECOND_MS }];
  }
  const update = { do: "update", device: devices[0]!, age: 0, norm: 1, isGood: true, nonce: 0 } as const;
  return [{ ...update, place, error }];
}
