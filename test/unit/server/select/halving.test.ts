import { describe, expect, test } from "vitest";
import { halve, halveUnscored } from "../../../../server/select/halving.js";
import { type DeviceScores, pairedGain, rankCandidates } from "../../../../server/select/rank.js";
import type { ArmState, SelectionPolicy, SelectionState } from "../../../../server/select/state.js";
import type { DeviceId } from "../../../../shared/id.js";
import { emptyMetricSums } from "../../../../shared/model/metric.js";

const NAMES = ["a", "b", "c", "d"];

const policy: SelectionPolicy = {
  arms: NAMES.map((name, at) => ({ name, parameters: 40 - 10 * at, bytes: 4 * (40 - 10 * at) })),
  ...{ rungs: [1, 3], eta: 2, metric: "rmse", latencyMs: undefined },
};

function selectionAt(rung: number, changes: Partial<ArmState> = {}): SelectionState {
  const arms = NAMES.map((name, at) => ({
    ...{ name, first: at + 1, head: at + 5, rounds: 1, tries: 1, norms: [], out: null, scores: [] },
    ...changes,
  }));
  return { rung, arms, turn: { tries: 0, round: 1 }, unscored: 0, winner: null };
}

/** One device's RMSE of each arm over so many rows; undefined: not a finite number. */
function scored(at: number, errors: readonly (number | undefined)[], rows = 10, elapsedMs = 0): DeviceScores {
  const sums = errors.map((error) =>
    error === undefined ? emptyMetricSums : { ...emptyMetricSums, rows, squaredError: rows * error ** 2 },
  );
  return { device: `d${at}` as DeviceId, sums, elapsedMs: errors.map(() => elapsedMs) };
}

const out = ({ arms }: { readonly arms: readonly ArmState[] }) =>
  arms.filter((arm) => arm.out !== null).map(({ name }) => name);

describe("after a rung", () => {
  test("the better part goes on, the rest is out with its reason", () => {
    const scores = [0, 1, 2, 3].map((at) => scored(at, [4, 3, 1 + at / 100, 2]));
    const halved = halve(selectionAt(0), scores, { policy, seed: "s" });
    expect(halved.best).toBe("c");
    expect(out(halved)).toEqual(["a", "b"]);
    expect(halved.arms[0]).toMatchObject({
      out: "rmse 4.000 against 2.000",
      scores: [{ rung: 0, version: 5, rounds: 1, devices: 4, rows: 40, value: 4, worst: 4, latencyUs: null }],
    });
    expect(halved.arms[0]?.scores[0]?.behind).toEqual({ mean: 2, low: 2, high: 2 });
  });

  test("nobody is dropped whose interval touches the last one that stays", () => {
    // c is better than b on average, and worse on half of the devices.
    const scores = [0, 1, 2, 3].map((at) =>
      scored(at, [9, at % 2 === 0 ? 1 : 3, at % 2 === 0 ? 2.5 : 1, 0.5]),
    );
    expect(out(halve(selectionAt(0), scores, { policy, seed: "s" }))).toEqual(["a"]);
  });

  test("one device alone drops nobody, until the last rung decides", () => {
    const scores = [scored(0, [4, 3, 1, 2])];
    expect(out(halve(selectionAt(0), scores, { policy, seed: "s" }))).toEqual([]);
    expect(out(halve(selectionAt(1), scores, { policy, seed: "s" }))).toEqual(["a", "b", "d"]);
  });

  test("equal ones stand by fewer parameters", () => {
    const scores = [0, 1].map((at) => scored(at, [2, 2, 2, 2]));
    expect(out(halve(selectionAt(1), scores, { policy, seed: "s" }))).toEqual(["a", "b", "c"]);
  });

  test("an arm whose errors are no numbers on some device is out", () => {
    const scores = [scored(0, [1, 2, 3, undefined]), scored(1, [1, 2, 3, 0.1])];
    const halved = halve(selectionAt(0), scores, { policy, seed: "s" });
    expect(halved.arms[3]).toMatchObject({ out: "its errors are no finite numbers" });
    expect(halved.best).toBe("a");
  });

  test("too slow is out, but of those that are all too slow the fastest stays", () => {
    const limited = { ...policy, latencyMs: 2 };
    const fast = [0, 1].map((at) => ({ ...scored(at, [1, 2, 3, 4]), elapsedMs: [30, 10, 10, 10] }));
    const halved = halve(selectionAt(1), fast, { policy: limited, seed: "s" });
    expect(halved.best).toBe("b");
    expect(halved.arms[0]?.out).toBe("3.00 ms per row, above limit 2 ms");
    const slow = [0, 1].map((at) => ({ ...scored(at, [1, 2, 3, 4]), elapsedMs: [40, 50, 60, 30] }));
    expect(halve(selectionAt(0), slow, { policy: limited, seed: "s" }).best).toBe("d");
  });

  test("without scores all go on; after the last rung what was best when there were any", () => {
    expect(halve(selectionAt(0), [], { policy, seed: "s" }).best).toBeUndefined();
    expect(out(halveUnscored(selectionAt(0), policy))).toEqual([]);
    expect(halveUnscored(selectionAt(1), policy).best).toBe("d");
    const scores = [0, 1].map((at) => scored(at, [2, 1, 3, 4]));
    const known = halve(selectionAt(0), scores, { policy: { ...policy, eta: 1 }, seed: "s" });
    expect(halveUnscored({ ...selectionAt(1), arms: known.arms }, policy).best).toBe("b");
  });
});

describe("ranking", () => {
  test("weighs devices by their rows", () => {
    const scores = [scored(0, [1, 2], 90), scored(1, [9, 2], 10)];
    expect(rankCandidates(scores, "rmse", [1, 1])?.map(({ index, mean }) => [index, mean])).toEqual([
      [0, 1.8],
      [1, 2],
    ]);
  });

  test("the worst tenth is that of devices", () => {
    const scores = Array.from({ length: 20 }, (_, at) => scored(at, [at + 1, 1]));
    expect(rankCandidates(scores, "rmse", [1, 1])?.[1]?.worst).toBe(18);
  });

  test("accuracy is better when it is greater", () => {
    const scores = [0, 1].map((at) => ({
      ...scored(at, [0, 0]),
      sums: [5, 8].map((correct) => ({ ...emptyMetricSums, rows: 10, correct })),
    }));
    expect(rankCandidates(scores, "accuracy", [1, 1])?.[0]).toMatchObject({ index: 1, value: 0.8 });
    expect(pairedGain(scores, [1, 0], { metric: "accuracy", seed: "s", rung: 0 })?.mean).toBeCloseTo(0.3, 12);
  });

  test("the interval is the same for the same seed, and holds the mean of the paired differences", () => {
    const scores = Array.from({ length: 30 }, (_, at) => scored(at, [1 + (at % 7) / 10, 1.2]));
    const name = { metric: "rmse", seed: "s", rung: 0 } as const;
    const gain = pairedGain(scores, [0, 1], name);
    expect(gain).toEqual(pairedGain(scores, [0, 1], name));
    expect(gain?.low).toBeLessThan(gain?.mean ?? 0);
    expect(gain?.high).toBeGreaterThan(gain?.mean ?? 0);
    // Percentiles of a mean over 30 devices, whose values have a standard deviation of 0.2.
    expect((gain?.high ?? 0) - (gain?.low ?? 0)).toBeLessThan(4 * (0.21 / Math.sqrt(30)) * 1.1);
  });
});
