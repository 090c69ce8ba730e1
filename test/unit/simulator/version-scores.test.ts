import { describe, expect, test } from "vitest";
import type { EvaluateJob, Job, JobResult, Trainer } from "../../../device/train/trainer.js";
import type { ModelVersion } from "../../../server/model/registry.js";
import type { ModelDefinition } from "../../../shared/model/definition.js";
import { emptyMetricSums } from "../../../shared/model/metric.js";
import { VersionScores } from "../../../simulator/version-scores.js";

const ROWS = 2_500;

/** Answers with the first param as the number of correct rows of each part; a first param below 0 fails. */
function trainerOf(jobs: EvaluateJob[]): Trainer {
  return {
    engine: "fused-js",
    async run<J extends Job>(job: J): Promise<JobResult<J>> {
      const { examples, params } = job as EvaluateJob;
      jobs.push(job as EvaluateJob);
      await Promise.resolve();
      if (params[0]! < 0) throw new Error("memory ran out");
      const sums = { ...emptyMetricSums, rows: examples.rows, correct: params[0]! };
      return { kind: "evaluate", sums } as JobResult<J>;
    },
    close: () => Promise.resolve(),
  };
}

function scoresOf(jobs: EvaluateJob[]): VersionScores {
  const batch = { rows: ROWS, x: new Float32Array(ROWS * 2), y: new Float32Array(ROWS) };
  return new VersionScores({
    trainer: trainerOf(jobs),
    definition: {} as ModelDefinition, // the trainer above does not look at it
    testSet: { batches: [batch], isGiven: true, rows: ROWS },
    labelFactor: 1,
  });
}

function version(number: number, param: number): ModelVersion {
  const manifest = { version: number } as ModelVersion["manifest"];
  return { manifest, params: Float32Array.of(param), scaler: {} as ModelVersion["scaler"] };
}

describe("scores of versions", () => {
  test("are sums over every row, each version's with its own params, and computed once", async () => {
    const jobs: EvaluateJob[] = [];
    const scores = scoresOf(jobs);
    const [first, again, second] = await Promise.all([
      scores.of(version(1, 3)),
      scores.of(version(1, 3)),
      scores.of(version(2, 5)),
    ]);
    // Parts of 1,024, 1,024 and 452 rows.
    expect(jobs.map(({ examples }) => examples.rows)).toEqual([1024, 1024, 452, 1024, 1024, 452]);
    expect(first).toEqual({ ...emptyMetricSums, rows: ROWS, correct: 9 });
    expect(again).toBe(first);
    expect(second).toEqual({ ...emptyMetricSums, rows: ROWS, correct: 15 });
  });

  test("that fail are heard of by who asks, and the next are computed", async () => {
    const scores = scoresOf([]);
    const failing = scores.of(version(1, -1));
    const next = scores.of(version(2, 2));
    await expect(failing).rejects.toThrow("memory ran out");
    await expect(next).resolves.toMatchObject({ correct: 6 });
  });
});
