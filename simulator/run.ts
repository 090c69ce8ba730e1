// One federation from its start to its last round, fed with a simulation's data and followed all the way.

import type { Agent } from "../device/agent.js";
import type { Trainer } from "../device/train/trainer.js";
import type { ServerFact } from "../server/fact.js";
import type { ModelVersion } from "../server/model/registry.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import type { DeviceId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import { buildTaskModel } from "../shared/model/arms-model.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Task } from "../shared/task/task.js";
import type { Feed } from "./datasets/load.js";
import type { EndedRun } from "./ended-run.js";
import { createFederation, type Federation } from "./federation.js";
import { eventTimeAt, feedHistory, LiveFeed } from "./feeder.js";
import { type LoopWatch, watchLoop } from "./loop/loop-watch.js";
import { plantTraitors } from "./loop/traitors.js";
import type { Progress } from "./progress.js";
import { Recorder } from "./recorder.js";
import type { SimulationReport } from "./report.js";

/** What a run is made of. Trainer and runtime stay the caller's. */
export interface RunOptions {
  readonly task: LoadedTask;
  readonly feed: Feed;
  readonly seed: string;
  readonly trainer: Trainer;
  readonly runtime: ModelRuntime;
  readonly logger?: Logger;
  /** Whether some devices turn on the fleet once it learns anew. */
  readonly poison: boolean;
  readonly onProgress: (progress: Progress) => void;
  /** Hears of every version that is head, the first one and each round's. */
  readonly onVersion?: (version: ModelVersion) => void;
}

/** Virtual time at which every simulation begins. */
const START_MS = Date.UTC(2026, 0, 1);
/** Until every device must have the task, virtual. */
const ADOPTION_MS = 10 * 60_000;

/** A federation under way. */
export class SimulatedRun implements EndedRun {
  readonly federation: Federation;
  readonly recorder: Recorder;
  readonly loop: LoopWatch | undefined;
  readonly #options: RunOptions;
  readonly #versions: ReadonlyMap<number, Promise<ModelVersion | undefined>>;

  private constructor(
    options: RunOptions,
    parts: Pick<SimulatedRun, "federation" | "recorder" | "loop"> & {
      readonly versions: ReadonlyMap<number, Promise<ModelVersion | undefined>>;
    },
  ) {
    this.#options = options;
    this.federation = parts.federation;
    this.recorder = parts.recorder;
    this.loop = parts.loop;
    this.#versions = parts.versions;
  }

  /** Switches the federation on and waits until every device has the task. */
  static async start(options: RunOptions): Promise<SimulatedRun> {
    const { task, feed, seed, trainer, runtime, logger } = options;
    // Building a model takes real time, which must not pass between two virtual events.
    await buildTaskModel(task.task, runtime);
    const versions = new Map<number, Promise<ModelVersion | undefined>>();
    let federation: Federation | undefined;
    const recorder = createRecorder(options, () => federation?.traffic ?? { up: 0, down: 0 });
    const eventAt = (nowMs: number) => feed.pace && eventTimeAt(feed.pace, START_MS, nowMs);
    const loop = watchLoop(task.task, feed, () => eventAt(federation?.clock.now() ?? START_MS) ?? 0);
    // The first version may be there before the last device is.
    const starting: Promise<Federation> = createFederation({
      ...{ task, seed, trainer, runtime, startMs: START_MS },
      devices: [...feed.devices.keys()],
      // Telemetry streams in from here on; history moves event time by itself.
      eventNow: eventAt,
      ...(logger === undefined ? {} : { logger }),
      ...(options.poison && {
        tamper: plantTraitors(task.task, [...feed.devices.keys()], () => loop?.hasLearntAnew === true),
      }),
      observeServer(fact) {
        recorder.onServerFact(fact);
        loop?.onServerFact(fact);
        const version = headOf(fact);
        // The server forgets old versions; every round's is scored at the end.
        if (version === undefined) return;
        const read = starting.then(({ server }) => server.model(version));
        versions.set(version, read);
        // Whoever asks for a version that cannot be read hears of that.
        void read.then(
          (model) => model && options.onVersion?.(model),
          () => undefined,
        );
      },
      observeDevice(device, fact) {
        recorder.onDeviceFact(device, fact);
        loop?.onDeviceFact(device, fact);
      },
    });
    federation = await starting;
    const horizonMs = federation.clock.now() + ADOPTION_MS;
    const haveAllAdopted = () => recorder.adopted.size === feed.devices.size;
    const end = await federation.run({ until: haveAllAdopted, horizonMs });
    if (!haveAllAdopted()) {
      await federation.close();
      throw new HeadwaterError(
        "training-failed",
        `${recorder.adopted.size} of ${feed.devices.size} devices have the task after ${ADOPTION_MS} ms (${end})`,
      );
    }
    return new SimulatedRun(options, { federation, recorder, loop, versions });
  }

  /** Feeds the devices and lets them learn to the end. Rejects with `training-failed` when there is none in sight. */
  async learn(): Promise<void> {
    const { federation, recorder, loop } = this;
    const { rounds } = this.#options.task.task;
    const live = await this.#feed();
    const horizonMs = federation.clock.now() + (live?.restMs ?? 0) + longestMs(this.#options.task.task);
    // A drift may be seen for as long as there is telemetry, and what has been learnt by then is tried to the end.
    const isDone = () =>
      recorder.finished !== undefined && (live?.isOver ?? true) && loop?.isTrialOpen !== true;
    await federation.run({ until: isDone, horizonMs });
    recorder.end();
    if (recorder.finished !== undefined) return;
    throw new HeadwaterError(
      "training-failed",
      `no end in sight: ${federation.server.status().trainRounds} of ${rounds.max} rounds completed, ` +
        `${recorder.abandoned} abandoned; counted: ${JSON.stringify(this.counters())}`,
    );
  }

  get agents(): ReadonlyMap<DeviceId, Agent> {
    return this.federation.agents;
  }

  /** Lets virtual time pass until `work` has settled. */
  readonly during = <Result>(work: Promise<Result>): Promise<Result> => this.federation.during(work);

  /** A version that was head once. */
  async version(version: number | undefined): Promise<ModelVersion> {
    const found = version === undefined ? undefined : await this.#versions.get(version);
    if (found !== undefined) return found;
    throw new HeadwaterError("training-failed", `version ${version} was not kept`);
  }

  /** Everything counted so far. */
  counters(): SimulationReport["counters"] {
    const { server, agents } = this.federation;
    return countAll(server, agents.values(), this.recorder);
  }

  async #feed(): Promise<LiveFeed | undefined> {
    const { devices, pace } = this.#options.feed;
    if (pace === undefined) {
      await feedHistory(this.federation, devices);
      return undefined;
    }
    const live = new LiveFeed(this.federation, pace, START_MS);
    await live.start(devices);
    return live;
  }
}

/** The longest time that rounds may take, those of the last time that the fleet learns anew, and a last trial after them. */
function longestMs({ rounds, evaluate, rollout, monitor, candidates = {}, select }: Task): number {
  const { canary, shadow, guard } = rollout;
  const compared = Object.keys(candidates).length * (select?.rungs.at(-1) ?? 0);
  const count = rounds.max + 2 + compared + (monitor?.retrain?.rounds ?? 0);
  const stepMs =
    Math.max(canary?.soakMs ?? 0, shadow?.forMs ?? 0) + guard.silentMs + guard.failures * guard.checkMs;
  // Every round ends at its deadline at the latest; abandoned ones may be as many as completed ones.
  return 2 * count * (rounds.deadlineMs + evaluate.deadlineMs) + ((canary?.steps.length ?? 0) + 1) * stepMs;
}

/** Everything a server, its devices and their recorder have counted. */
export function countAll(
  server: { readonly counters: Counters },
  agents: Iterable<Agent>,
  { declined }: Recorder,
): SimulationReport["counters"] {
  const devices = new Counters();
  for (const counters of [declined, ...Array.from(agents, (agent) => agent.counters)]) {
    for (const [name, count] of Object.entries(counters.toJSON())) devices.add(name, count);
  }
  return { server: server.counters.toJSON(), devices: devices.toJSON() };
}

function createRecorder({ task, onProgress }: RunOptions, traffic: () => Federation["traffic"]): Recorder {
  const recorder: Recorder = new Recorder({
    task: task.task,
    traffic,
    onRound: () => onProgress(recorder.progress()),
  });
  return recorder;
}

function headOf(fact: ServerFact): number | undefined {
  return fact.type === "version-published" && fact.line === "head" ? fact.manifest.version : undefined;
}
