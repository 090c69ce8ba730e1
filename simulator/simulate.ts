// `headwater simulate`: a task, its data, a fleet in virtual time, and a report that compares.

import { availableParallelism } from "node:os";
import { createTrainerPool } from "../device/train/pool.js";
import type { Trainer } from "../device/train/trainer.js";
import type { ModelVersion } from "../server/model/registry.js";
import { systemClock } from "../shared/clock.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import type { Logger } from "../shared/log.js";
import { defineModel } from "../shared/model/define.js";
import { metricValue } from "../shared/model/metric.js";
import type { EngineName, ModelRuntime } from "../shared/model/runtime.js";
import { createTfjsRuntime } from "../shared/model/tfjs.js";
import { planPipeline } from "../shared/pipeline/plan.js";
import type { Example } from "../shared/pipeline/types.js";
import { type LoadedTask, parseTaskSource } from "../shared/task/parse.js";
import type { MetricName, Task } from "../shared/task/task.js";
import { type LoneDevice, type NaiveRows, naiveRows, scoreLocalOnly, scoreNaive } from "./baseline.js";
import { type Feed, loadFeed } from "./datasets/load.js";
import { createFederation, type Federation } from "./federation.js";
import { eventTimeAt, feedHistory, LiveFeed } from "./feeder.js";
import { Recorder } from "./recorder.js";
import type { RoundReport, SimulationReport } from "./report.js";
import { givenExamples, givenTestSet, type Judge, ownTestSet, scoreGlobal } from "./test-set.js";

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
  readonly engine: EngineName;
  /** Worker threads; results do not depend on it. */
  readonly workers: number | undefined;
  /** Whether to train every device alone as well. */
  readonly local: boolean;
  readonly logger?: Logger;
  readonly onProgress?: (progress: Progress) => void;
}

/** Where a simulation is. */
export type Progress =
  | { readonly stage: "loaded"; readonly devices: number; readonly rounds: number }
  /** A train round has closed; `validation` is the newest score of the devices. */
  | {
      readonly stage: "round";
      /** Completed so far, and abandoned. */
      readonly round: number;
      readonly abandoned: number;
      readonly validation: number | undefined;
    }
  | { readonly stage: "comparing" };

/** Where dataset simulations begin; live ones begin with their telemetry. */
const START_MS = Date.UTC(2026, 0, 1);
/** Until every device must have the task, virtual. */
const ADOPTION_MS = 10 * 60_000;

/** Runs the simulation. Throws HeadwaterError for a bad task, missing data, or a fleet that never finishes a round. */
export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const startedMs = systemClock.now();
  const feed = await loadFeed(options.task.task, options);
  const withData = [...feed.devices.values()].filter((readings) => readings.length > 0);
  const task = adapt(options.task, { devices: withData.length, rounds: options.rounds });
  options.onProgress?.({ stage: "loaded", devices: feed.devices.size, rounds: task.task.rounds.max });
  const runtime = await createTfjsRuntime(options.engine);
  const workers = options.workers ?? availableParallelism();
  const trainer = await createTrainerPool({ workers, engine: options.engine });
  try {
    const run = new Simulation({ ...options, task, feed, runtime, trainer });
    return { ...(await run.report()), seconds: round3((systemClock.now() - startedMs) / 1000) };
  } finally {
    await trainer.close();
    runtime.dispose();
  }
}

interface SimulationParts extends SimulateOptions {
  readonly feed: Feed;
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
}

class Simulation {
  readonly #options: SimulationParts;
  readonly #task: Task;
  readonly #metric: MetricName;
  readonly #recorder: Recorder;
  readonly #versions = new Map<number, Promise<ModelVersion | undefined>>();
  #federation: Federation | undefined;

  constructor(options: SimulationParts) {
    this.#options = options;
    this.#task = options.task.task;
    this.#metric = this.#task.model.output.kind === "classification" ? "accuracy" : "rmse";
    this.#recorder = new Recorder({
      plan: this.#task.train,
      traffic: () => this.#federation?.traffic ?? { up: 0, down: 0 },
      onRound: () => {
        const { rounds, abandoned, validation } = this.#recorder;
        options.onProgress?.({ stage: "round", round: rounds.length - abandoned, abandoned, validation });
      },
    });
  }

  async report(): Promise<Omit<SimulationReport, "seconds">> {
    const federation = await this.#start();
    try {
      await this.#learn(federation);
      this.#options.onProgress?.({ stage: "comparing" });
      return await this.#compare(federation);
    } finally {
      await federation.close();
    }
  }

  async #start(): Promise<Federation> {
    const { task, feed, seed, trainer, runtime, logger } = this.#options;
    // Building a model takes real time, which must not pass between two virtual events.
    await runtime.model(defineModel(this.#task.model, planPipeline(this.#task).columns.length));
    // The first version may be there before the last device is.
    const starting: Promise<Federation> = createFederation({
      ...{ task, seed, trainer, runtime },
      devices: [...feed.devices.keys()],
      startMs: START_MS,
      // Telemetry streams in from here on; history moves event time by itself.
      eventNow: (nowMs) => feed.pace && eventTimeAt(feed.pace, START_MS, nowMs),
      ...(logger === undefined ? {} : { logger }),
      observeServer: (fact) => {
        this.#recorder.onServerFact(fact);
        if (fact.type !== "version-published" || fact.line === "stable") return;
        // The server forgets old versions; every round's is scored at the end.
        const { version } = fact.manifest;
        this.#versions.set(
          version,
          starting.then(({ server }) => server.model(version)),
        );
      },
      observeDevice: (device, fact) => this.#recorder.onDeviceFact(device, fact),
    });
    const federation = await starting;
    this.#federation = federation;
    const { adopted } = this.#recorder;
    const horizonMs = federation.clock.now() + ADOPTION_MS;
    await federation.run({ until: () => adopted.size === feed.devices.size, horizonMs });
    return federation;
  }

  async #learn(federation: Federation): Promise<void> {
    const { rounds, evaluate } = this.#task;
    const live = await this.#feed(federation);
    // Every round ends at its deadline at the latest; abandoned ones may be as many as completed ones.
    const spanMs = 2 * (rounds.max + 2) * (rounds.deadlineMs + evaluate.deadlineMs);
    const horizonMs = federation.clock.now() + (live?.restMs ?? 0) + spanMs;
    const isDone = () => this.#recorder.finished !== undefined && (live?.isOver ?? true);
    await federation.run({ until: isDone, horizonMs });
    this.#recorder.end();
    if (this.#recorder.finished !== undefined) return;
    const { server } = federation;
    throw new HeadwaterError(
      "training-failed",
      `no end in sight: ${server.status().trainRounds} of ${rounds.max} rounds completed, ` +
        `${this.#recorder.abandoned} abandoned; counted: ${JSON.stringify(this.#counters(federation))}`,
    );
  }

  async #feed(federation: Federation): Promise<LiveFeed | undefined> {
    const { devices, pace } = this.#options.feed;
    if (pace === undefined) {
      await feedHistory(federation, devices);
      return undefined;
    }
    const live = new LiveFeed(federation, pace, START_MS);
    await live.start(devices);
    return live;
  }

  async #compare(federation: Federation): Promise<Omit<SimulationReport, "seconds">> {
    const { seed, local, feed, trainer } = this.#options;
    const first = await this.#version(this.#recorder.firstVersion);
    const final = await this.#version(this.#recorder.finished?.version);
    const definition = defineModel(this.#task.model, first.scaler.offset.length);
    const given = feed.test === undefined ? undefined : givenExamples(this.#task, feed.test);
    const testSet =
      given === undefined
        ? await federation.during(ownTestSet(federation.agents.values(), first.scaler))
        : givenTestSet(given, definition, first.scaler);
    const judge: Judge = { trainer, definition, testSet, labelFactor: first.scaler.label.factor };
    const rounds = await this.#scoreRounds(judge);
    const lone = local
      ? await this.#scoreLone(federation, judge, first)
      : { value: null, devices: 0, diverged: [] };
    const naive = await this.#scoreNaive(federation, given);
    return {
      task: this.#task.task,
      seed,
      engine: trainer.engine,
      devices: feed.devices.size,
      metric: this.#metric,
      rounds,
      federated: await this.#score(judge, final),
      localOnly: lone.value,
      localDevices: lone.devices,
      diverged: lone.diverged,
      naive: naive.value,
      naiveRule: naive.rule,
      testRows: testSet.rows,
      predictions: this.#recorder.predictions,
      stopped: this.#recorder.finished!.reason,
      modelHash: final.manifest.sha256,
      counters: this.#counters(federation),
    };
  }

  async #scoreRounds(judge: Judge): Promise<RoundReport[]> {
    const reports: RoundReport[] = [];
    for (const [index, { version, accepted, rejected, before, after }] of this.#recorder.rounds.entries()) {
      const value = version === undefined ? null : await this.#score(judge, await this.#version(version));
      const bytes = { bytesUp: after.up - before.up, bytesDown: after.down - before.down };
      reports.push({ round: index + 1, value, accepted, rejected, ...bytes });
    }
    return reports;
  }

  async #score(judge: Judge, { params }: ModelVersion): Promise<number | null> {
    return metricValue(await scoreGlobal(judge, params), this.#metric) ?? null;
  }

  async #scoreLone(federation: Federation, judge: Judge, first: ModelVersion) {
    const devices: LoneDevice[] = [];
    for (const [name, agent] of federation.agents) {
      const steps = this.#recorder.steps.get(name) ?? 0;
      const train = await federation.during(agent.scaled("train", first.scaler));
      devices.push({ name, train, steps });
    }
    const { seed } = this.#options;
    const start = { params: first.params, plan: this.#task.train, seed, metric: this.#metric };
    return scoreLocalOnly(judge, devices, start);
  }

  async #scoreNaive(federation: Federation, given: readonly Example[] | undefined) {
    const labels: Float32Array[] = [];
    const tests: NaiveRows[] = given === undefined ? [] : [naiveRows(given)];
    for (const agent of federation.agents.values()) {
      labels.push((await federation.during(agent.examples("train"))).labels);
      if (given === undefined) tests.push(naiveRows(await federation.during(agent.examples("test"))));
    }
    return scoreNaive(naiveRule(this.#task), labels, tests, this.#metric);
  }

  #counters({ server, agents }: Federation): SimulationReport["counters"] {
    const devices = new Counters();
    for (const counters of [
      this.#recorder.declined,
      ...[...agents.values()].map(({ counters }) => counters),
    ]) {
      for (const [name, count] of Object.entries(counters.toJSON())) devices.add(name, count);
    }
    return { server: server.counters.toJSON(), devices: devices.toJSON() };
  }

  async #version(version: number | undefined): Promise<ModelVersion> {
    const found = version === undefined ? undefined : await this.#versions.get(version);
    if (found !== undefined) return found;
    throw new HeadwaterError("training-failed", `version ${version} was not kept`);
  }
}

// Fewer devices than the task waits for, or other rounds, are another task: it gets hashes of its own.
function adapt(
  loaded: LoadedTask,
  { devices, rounds }: { readonly devices: number; readonly rounds: number | undefined },
): LoadedTask {
  const { max, minDevices } = loaded.task.rounds;
  const wanted = { max: rounds ?? max, minDevices: Math.min(minDevices, devices) };
  if (wanted.max === max && wanted.minDevices === minDevices) return loaded;
  const source = JSON.parse(loaded.source) as { readonly rounds?: object };
  const changed = parseTaskSource(JSON.stringify({ ...source, rounds: { ...source.rounds, ...wanted } }));
  return { ...changed, task: { ...changed.task, simulate: loaded.task.simulate } };
}

function naiveRule({ label, model }: Task): "persistence" | "majority" | "mean" {
  if (label.kind === "forecast") return "persistence";
  return model.output.kind === "classification" ? "majority" : "mean";
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
