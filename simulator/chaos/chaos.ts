// Everything that can go wrong, at once, from one seed; then calm. Nothing that must never happen may happen, and in
// the end the federation must be done.

import { createHash } from "node:crypto";
import type { DeviceFact } from "../../device/fact.js";
import { createInlineTrainer } from "../../device/train/inline.js";
import type { Trainer } from "../../device/train/trainer.js";
import type { ServerFact } from "../../server/fact.js";
import { saltOf } from "../../server/round/trial-reach.js";
import { Counters } from "../../shared/counters.js";
import { messageOf } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import { defineModel } from "../../shared/model/define.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { trialPlace } from "../../shared/wire/trial.js";
import { Checker } from "../checker/checker.js";
import type { VirtualClock } from "../clock.js";
import { createFederation, type Federation, type PartyId } from "../federation.js";
import { FaultyNetwork, type NetworkFaults } from "../network.js";
import { deviceNamed, Enemies } from "./enemies.js";
import { Mischief } from "./mischief.js";
import { answerOf, CHUNK_BYTES, type ChaosTask, chaosReadings, chaosTask, noiseWidths } from "./task.js";

/** One run. */
export interface ChaosOptions {
  readonly seed: string;
  readonly devices?: number;
  /** Train rounds. */
  readonly rounds?: number;
}

/** What came of it. */
export interface ChaosReport {
  readonly ok: boolean;
  /** Broken invariants, with what did not come to its end. */
  readonly violations: readonly string[];
  /** Over all facts, with their times: the same for the same seed. */
  readonly factsHash: string;
  /** Faults that really happened, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the federation did, for a look at whether the run was worth it. */
  readonly facts: Readonly<Record<string, number>>;
  readonly virtualMs: number;
}

/** Runs chaos, seed after seed. */
export interface ChaosLab {
  run(options: ChaosOptions): Promise<ChaosReport>;
  close(): Promise<void>;
}

const START_MS = Date.UTC(2026, 0, 1);
const FAULTS_MS = 5 * 60_000;
/** Long after the last retry of anything. */
const HORIZON_MS = 12 * 3_600_000;
const SETTLE_MS = 2 * 3_600_000;
const SETTLE_STEP_MS = 60_000;
const EVENTS_MAX = 500_000;
const FEED_EVERY_MS = 15_000;
const FEED_ROWS = 8;
const FEEDS = 24;

const PAUSE_MS = 7_000;

/** How bad it gets: some seeds are breezes, some are storms. */
function networkOf(storm: number): NetworkFaults {
  return {
    delayMs: Math.ceil(80 * storm),
    slow: 0.1 * storm,
    loss: 0.04 * storm,
    duplicate: 0.06 * storm,
    overtake: 0.15 * storm,
  };
}

/** The lab, with its engines warm. */
export async function createChaosLab(): Promise<ChaosLab> {
  const runtime = await createTfjsRuntime("tfjs-cpu");
  const trainer = createInlineTrainer(await createTfjsRuntime("tfjs-cpu"));
  // Building a model takes real time, which must not pass between two virtual events.
  const { model } = chaosTask("", 1).loaded.task;
  for (const noise of noiseWidths) await runtime.model(defineModel(model, 2 + noise));
  return {
    run: (options) => runChaos(options, { runtime, trainer }),
    async close() {
      await trainer.close();
      runtime.dispose();
    },
  };
}

interface Engines {
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
}

async function runChaos(options: ChaosOptions, engines: Engines): Promise<ChaosReport> {
  const run = new ChaosRun(options, engines);
  await run.start();
  return run.finish();
}

class ChaosRun {
  readonly #seed: string;
  readonly #task: ChaosTask;
  readonly #engines: Engines;
  readonly #devices: readonly DeviceId[];
  readonly #readings: ReadonlyMap<DeviceId, readonly Reading[]>;
  readonly #faults = new Counters();
  readonly #facts = new Counters();
  readonly #hash = createHash("sha256");
  readonly #storm: number;
  readonly #enemies: Enemies;
  #network: FaultyNetwork | undefined;
  #federation: Federation | undefined;
  #checker: Checker | undefined;
  #mischief: Mischief | undefined;
  #isCalm = false;

  constructor({ seed, devices = 10, rounds = 4 }: ChaosOptions, engines: Engines) {
    this.#seed = seed;
    this.#storm = 0.3 + 2 * randomStream(seed, "storm").uniform();
    this.#task = chaosTask(seed, rounds);
    this.#engines = engines;
    this.#devices = Array.from({ length: devices }, (_, index) => deviceNamed(`device-${index + 1}`));
    this.#enemies = new Enemies({
      seed,
      task: this.#task,
      victims: this.#devices,
      counters: this.#faults,
      isActive: () => !this.#isCalm,
    });
    const span = { rows: FEEDS * FEED_ROWS, startMs: START_MS, noise: this.#task.noise };
    this.#readings = new Map(this.#devices.map((device) => [device, chaosReadings(seed, device, span)]));
  }

  async start(): Promise<void> {
    const federation = await this.#createFederation();
    const { clock } = federation;
    this.#federation = federation;
    this.#checker = new Checker({
      federation,
      task: this.#task.loaded.task,
      oracle: ({ entity, timeMs }, version) => {
        const reading = this.#readings.get(deviceNamed(entity))?.[(timeMs - START_MS) / 1000];
        return reading && answerOf(reading, version);
      },
      isIn: (device, { version, below }) => trialPlace(saltOf({ seed: this.#seed }, version), device) < below,
    });
    this.#mischief = new Mischief({
      federation,
      devices: this.#devices,
      network: this.#network!,
      random: randomStream(this.#seed, "mischief"),
      counters: this.#faults,
      pauseMs: Math.ceil(PAUSE_MS / this.#storm),
    });
    this.#mischief.start();
    this.#enemies.release(federation);
    this.#feed(0);
    clock.after(FAULTS_MS, () => this.#calm());
  }

  async finish(): Promise<ChaosReport> {
    const federation = this.#federation!;
    const violations = await this.#run(federation).catch((error: unknown) => [
      `a party failed: ${error instanceof Error ? error.stack : messageOf(error)}`,
    ]);
    const all = [...this.#checker!.violations, ...violations];
    this.#countRefusals(federation);
    const virtualMs = federation.clock.now() - START_MS;
    const faults = this.#faults.toJSON();
    await federation.close();
    return {
      ok: all.length === 0,
      violations: all,
      factsHash: this.#hash.digest("hex"),
      faults,
      facts: this.#facts.toJSON(),
      virtualMs,
    };
  }

  /** Runs to the end; tells what did not come to one. */
  async #run(federation: Federation): Promise<readonly string[]> {
    const limits = { horizonMs: START_MS + HORIZON_MS, maxEvents: EVENTS_MAX };
    const isFinished = () =>
      this.#isCalm && this.#checker!.status?.finished !== undefined && federation.party("server").hasStarted;
    const end = await federation.run({ ...limits, until: isFinished });
    if (end !== "until") return [`not finished: ${end}, ${JSON.stringify(this.#checker!.status)}`];
    return this.#settle(federation);
  }

  /** Waits until every device has heard its last words and serves what is stable. */
  async #settle(federation: Federation): Promise<readonly string[]> {
    const horizonMs = federation.clock.now() + SETTLE_MS;
    for (;;) {
      const unsettled = this.#devices.flatMap((device) => this.#unsettled(federation, device));
      if (unsettled.length === 0 || federation.clock.now() >= horizonMs) return unsettled;
      const end = await federation.run({
        horizonMs: federation.clock.now() + SETTLE_STEP_MS,
        maxEvents: EVENTS_MAX,
      });
      if (end === "max-events") return ["no rest after the end"];
    }
  }

  #unsettled(federation: Federation, device: DeviceId): string[] {
    const status = federation.agents.get(device)?.status();
    const stable = this.#checker!.status!.stable;
    const problems: string[] = [];
    if (status === undefined) problems.push(`${device} is down`);
    else if (status.pending.length > 0)
      problems.push(`${device} still waits for the word on ${status.pending}`);
    else if ((status.serving ?? 0) !== stable)
      problems.push(`${device} serves ${status.serving}, stable is ${stable}`);
    return problems;
  }

  #createFederation(): Promise<Federation> {
    return createFederation({
      ...this.#engines,
      task: this.#task.loaded,
      serverLimits: { chunkBytes: CHUNK_BYTES },
      devices: this.#devices,
      outsiders: this.#enemies.traitors,
      seed: this.#seed,
      startMs: START_MS,
      costMs: (job) => 1000 + 20 * job.examples.rows,
      faults: (clock) => this.#createNetwork(clock),
      tap: (link, device, clock) =>
        this.#enemies.tap(link, device, {
          clock,
          disconnect: () => this.#federation?.broker.disconnect(device, { abrupt: true }),
        }),
      observeServer: (fact) => this.#onServerFact(fact),
      observeDevice: (device, fact) => this.#onDeviceFact(device, fact),
      afterEach: () => this.#checker?.afterEach(),
      onDeath: (party) => this.#onDeath(party),
    });
  }

  #createNetwork(clock: VirtualClock): FaultyNetwork {
    const options = { seed: this.#seed, clock, faults: networkOf(this.#storm), counters: this.#faults };
    this.#network = new FaultyNetwork(options);
    return this.#network;
  }

  /** Sensors speak whether or not anybody listens. */
  #feed(batch: number): void {
    if (batch >= FEEDS) return;
    const federation = this.#federation!;
    for (const [device, agent] of federation.agents) {
      const from = batch * FEED_ROWS;
      void agent.ingest(this.#readings.get(device)!.slice(from, from + FEED_ROWS));
    }
    federation.clock.after(FEED_EVERY_MS, () => this.#feed(batch + 1));
  }

  #calm(): void {
    this.#isCalm = true;
    this.#network?.calm();
    this.#mischief?.calm();
  }

  #onServerFact(fact: ServerFact): void {
    this.#note("server", fact);
    this.#checker?.onServerFact(fact);
  }

  #onDeviceFact(device: DeviceId, fact: DeviceFact): void {
    this.#note(device, fact);
    this.#checker?.onDeviceFact(device, fact);
  }

  #onDeath(party: PartyId): void {
    this.#checker?.onDeath(party);
    this.#mischief?.onDeath(party);
  }

  #note(party: PartyId, fact: ServerFact | DeviceFact): void {
    const nowMs = this.#federation?.clock.now() ?? START_MS;
    this.#hash.update(`${nowMs} ${party} ${JSON.stringify(fact)}\n`);
    this.#facts.add("reason" in fact && fact.reason !== null ? `${fact.type}.${fact.reason}` : fact.type);
  }

  #countRefusals(federation: Federation): void {
    for (const party of ["server", ...this.#devices] as const) {
      for (const { refusals } of Object.values(federation.party(party).disks)) {
        if (refusals > 0) this.#faults.add(`disk-full.${party === "server" ? "server" : "device"}`, refusals);
      }
    }
  }
}
