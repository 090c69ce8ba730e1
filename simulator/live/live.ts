// `headwater quickstart`: a task, its data, and a whole fleet in real time on this machine.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildModel } from "../../device/deployment.js";
import { createTrainerPool } from "../../device/train/pool.js";
import { systemClock } from "../../shared/clock.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { adaptTask } from "../adapt.js";
import { compare } from "../compare.js";
import { loadFeed } from "../datasets/load.js";
import type { SimulationReport } from "../report.js";
import { type SimulateOptions, threadsOf } from "../simulate.js";
import { givenExamples } from "../test-set.js";
import { LiveRun } from "./live-run.js";

/** What to run. */
export interface LiveOptions extends SimulateOptions {
  /** Called when the server's status page can be looked at. */
  readonly onServing?: (statusUrl: string) => void;
}

/** A fleet that has learned, and still serves. */
export interface LiveFleet {
  readonly report: SimulationReport;
  readonly statusUrl: string;
  /** Stops everything and deletes what it had on disk. */
  stop(): Promise<void>;
}

/** Runs the federation. Rejects as `simulate`, having stopped everything. */
export async function startLiveFleet(options: LiveOptions): Promise<LiveFleet> {
  const startedMs = systemClock.now();
  const { engine, onProgress = () => undefined, onServing = () => undefined } = options;
  const feed = await loadFeed(options.task.task, options);
  const task = adaptTask(options.task, { devices: feed.devices.size, rounds: options.rounds });
  onProgress({ stage: "loaded", devices: feed.devices.size, rounds: task.task.rounds.max });
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const runtime = await createRuntime(engine);
    closers.push(() => runtime.dispose());
    const trainer = await createTrainerPool({ workers: threadsOf(options), engine });
    closers.push(() => trainer.close());
    const folder = mkdtempSync(join(tmpdir(), "headwater-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const { poison = false } = options;
    const run = await LiveRun.start({ ...options, poison, task, feed, runtime, trainer, folder, onProgress });
    closers.push(() => run.close());
    onServing(run.statusUrl);
    await run.learn();
    onProgress({ stage: "comparing" });
    const { engine: computed } = await buildModel(task, runtime);
    const result = await compare(run, {
      ...{ ...options, task: task.task, trainer, engine: computed },
      devices: feed.devices.size,
      given: givenExamples(task.task, feed.test),
    });
    const seconds = Math.round(systemClock.now() - startedMs) / 1000;
    return { report: { ...result, seconds }, statusUrl: run.statusUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
