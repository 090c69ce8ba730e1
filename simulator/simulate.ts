// `headwater simulate`: a task, its data, a fleet in virtual time, and a report that compares.

import { availableParallelism } from "node:os";
import { buildModel } from "../device/deployment.js";
import { createTrainerPool } from "../device/train/pool.js";
import type { ModelVersion } from "../server/model/registry.js";
import { systemClock } from "../shared/clock.js";
import type { Logger } from "../shared/log.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import type { EngineChoice } from "../shared/model/runtime.js";
import type { LoadedTask } from "../shared/task/parse.js";
import { adaptTask } from "./adapt.js";
import { compare, createGivenJudge, createScores } from "./compare.js";
import { type Feed, loadFeed } from "./datasets/load.js";
import type { Progress } from "./progress.js";
import type { SimulationReport } from "./report.js";
import { SimulatedRun } from "./run.js";
import { givenExamples } from "./test-set.js";
import type { VersionScores } from "./version-scores.js";

/** What to simulate. */
export interface SimulateOptions {
  readonly task: LoadedTask;
  /** Data folder, for tasks that read files. */
  readonly folder: string | undefined;
  /** Devices; default: what the task or its data says. */
  readonly devices: number | undefined;
  /** Train rounds; default: the task's. */
  readonly rounds: number | undefined;
  readonly seed: string;
  readonly engine: EngineChoice;
  /** Worker threads; results do not depend on it. */
  readonly workers: number | undefined;
  /** Whether to train every device alone as well. */
  readonly local: boolean;
  /** Whether some devices turn on the fleet once it learns anew; default: no. */
  readonly poison?: boolean;
  readonly logger?: Logger;
  readonly onProgress?: (progress: Progress) => void;
}

/** Runs the simulation. Rejects with HeadwaterError for a bad task, missing data, or a fleet that never gets done. */
export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const startedMs = systemClock.now();
  const { engine, onProgress = () => undefined } = options;
  const feed = await loadFeed(options.task.task, options);
  const task = adaptTask(options.task, { devices: devicesWithData(feed), rounds: options.rounds });
  onProgress({ stage: "loaded", devices: feed.devices.size, rounds: task.task.rounds.max });
  const runtime = await createRuntime(engine);
  const trainer = await createTrainerPool({ workers: threadsOf(options), engine });
  try {
    const model = await buildModel(task, runtime);
    // Now, because it may load a library: in virtual time nothing may wait for what takes real time.
    await model.initialParams(options.seed);
    const given = givenExamples(task.task, feed.test);
    feed.test = undefined;
    let scores: VersionScores | undefined;
    const onVersion = (version: ModelVersion) => {
      if (given === undefined) return;
      // The first one has learned nothing, and is not in the report.
      if (scores !== undefined) void scores.of(version);
      scores ??= createScores(createGivenJudge(given, version, { task: task.task, trainer }), {
        task: task.task,
      });
    };
    const { poison = false } = options;
    const run = await SimulatedRun.start({
      ...options,
      poison,
      task,
      feed,
      runtime,
      trainer,
      onProgress,
      onVersion,
    });
    try {
      await run.learn();
      onProgress({ stage: "comparing" });
      const result = await compare(run, {
        ...{ ...options, task: task.task, trainer, engine: model.engine, given },
        ...(scores && { scores }),
        devices: feed.devices.size,
      });
      return { ...result, seconds: Math.round(systemClock.now() - startedMs) / 1000 };
    } finally {
      await run.federation.close();
    }
  } finally {
    await trainer.close();
    runtime.dispose();
  }
}

function devicesWithData({ devices }: Feed): number {
  return [...devices.values()].filter((readings) => readings.length > 0).length;
}

/** Training threads: as asked for, else one per core. */
export function threadsOf({ workers }: Pick<SimulateOptions, "workers">): number {
  return workers ?? availableParallelism();
}
