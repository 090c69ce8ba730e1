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
      for (const next of played) {
        if ("do" in next) history.play(next);
        else comply(history, next);
      }
      law(history, some);
    }),
    { numRuns: 150 },
  );
}

/** Does what is due; when nothing is, the devices say hello and time passes. */
function comply(history: History, { error, evidence }: Compliance): void {
  const members = [...(history.state.open?.members.values() ?? [])];
  const place = members
    .filter(({ status }) => status !== "accepted")
    .findIndex(({ status }) => status === "assigned");
  if (history.pending !== undefined) history.play({ do: "make", isSound: true });
  else if (history.asked !== undefined) history.play(evidence);
  else if (place >= 0) {
    const update = { do: "update", device: devices[0]!, age: 0, norm: 1, isGood: true, nonce: 0 } as const;
    history.play({ ...update, place, error });
  } else {
    for (const device of devices) history.play({ do: "hello", device, isAble: true });
    history.wait(10 * SECOND_MS);
  }
}
