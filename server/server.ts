// The aggregator of one task.

import type { KeyObject } from "node:crypto";
import { artefactFiles, type Files } from "../shared/artefact/files.js";
import type { Counters } from "../shared/counters.js";
import { HeadwaterError } from "../shared/error.js";
import type { DeviceId } from "../shared/id.js";
import type { Lineage } from "../shared/lineage/record.js";
import { metricValue } from "../shared/model/metric.js";
import type { Manifest } from "../shared/wire/message.js";
import { assemble, type Parts } from "./assemble.js";
import { route } from "./ingest/router.js";
import { Aliases } from "./model/aliases.js";
import { artefactOf } from "./model/export.js";
import { claimDatabase } from "./model/identity.js";
import { createLearning, type Learning } from "./model/learning.js";
import type { ModelVersion } from "./model/registry.js";
import type { ReportCounts } from "./monitor/fleet-view.js";
import type { ReceivedReport } from "./monitor/report-store.js";
import { SparingLook } from "./monitor/sparing-look.js";
import type { ServerOptions } from "./options.js";
import type { TrialEvidence } from "./round/event.js";
import type { RoundRecord, RoundsPage } from "./round/history.js";
import type { Scored } from "./round/state.js";
import type { MemberRecord } from "./round/timeline.js";
import { describeStatus, type ServerStatus } from "./status.js";

/** A version as kept. */
export interface VersionRecord {
  readonly manifest: Manifest;
  /** The round that scored it. */
  readonly scored: RoundRecord | undefined;
}

/** What became of an operator's wish: done, or why it could not be. */
export type ActionResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A version to take elsewhere. */
export interface ExportedVersion {
  readonly manifest: Manifest;
  readonly files: Files;
}

/** One task's aggregator. */
export interface Server {
  /** Of the key that everything is signed with. */
  readonly publicKey: KeyObject;
  /** Resumes where the database says it was, and answers devices. Rejects when the database cannot be written. */
  start(): Promise<void>;
  /** Lets go of everything without writing anything: for the database it is as if the process had died. */
  stop(): Promise<void>;
  readonly counters: Counters;
  status(): ServerStatus;
  /** The version devices serve; undefined: none yet. */
  stable(): number | undefined;
  /** Rounds from the newest back; the open one has no ending. */
  rounds(page: RoundsPage): readonly RoundRecord[];
  /** What each device of a round did and when; empty when that is not remembered (any more). */
  members(round: number): readonly MemberRecord[];
  /** Calls `listener` whenever something above may say something else, until the returned function is called. */
  watch(listener: () => void): () => void;
  /** Params of the model. */
  readonly paramCount: number;
  /** Every version kept, newest first, with what devices made of it. */
  versions(): readonly VersionRecord[];
  /** A version with its content, undefined when it is not kept (any more). Nobody writes to its params. */
  model(version: number): Promise<ModelVersion | undefined>;
  /** The last report of every device. */
  reports(): ReadonlyMap<DeviceId, ReceivedReport>;
  /** How many devices report, and how many of them drift. */
  reportCounts(): ReportCounts;
  /** What the devices in trial report of it, as seen at most a second ago; undefined without a trial. */
  trialEvidence(): TrialEvidence | undefined;
  /** Has a kept version served by all, whatever gate and trial say. */
  promote(version: number): Promise<ActionResult>;
  /** Takes back what is in trial, else what is served: to version `to`, or to what was served before. */
  rollBack(to?: number): Promise<ActionResult>;
  /** Gives a kept version a name, which may have been another's. */
  nameVersion(name: string, version: number): Promise<ActionResult>;
  /** Takes a name away. */
  dropName(name: string): Promise<ActionResult>;
  /** How a version was made, then how its parent was, at most `limit` of them; empty when that is not known (any more). */
  lineage(version: number, limit: number): readonly Lineage[];
  /** The version as files (docs/models.md), undefined when it is not kept (any more). */
  exported(version: number): Promise<ExportedVersion | undefined>;
  /** Names that people gave to versions; they are changed by the functions above, which tell who watches. */
  readonly aliases: Pick<Aliases, "list" | "of" | "find">;
  /** Rejects on a mistake of our own, after which nothing it says should be trusted. Never resolves. */
  readonly failed: Promise<never>;
}

/**
 * A server for `task` over `database`. Rejects with `task-invalid` when the database holds versions of a task
 * whose params mean something else, with `model-unsupported` when the engine cannot build the model.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { task, database, runtime, seed } = options;
  const learning = await createLearning(task, runtime, seed);
  claimDatabase(database, task, learning.identity);
  return new TaskServer(options, learning);
}

class TaskServer implements Server {
  readonly publicKey: KeyObject;
  readonly aliases: Aliases;
  readonly counters: Counters;
  readonly failed: Promise<never>;
  readonly paramCount: number;
  readonly #learning: Learning;
  readonly #options: ServerOptions;
  readonly #parts: Parts;
  /** For those who watch; what the rounds decide by is pooled for them anew. */
  readonly #evidence: SparingLook<TrialEvidence>;
  #hasStarted: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions, learning: Learning) {
    this.#options = options;
    this.#learning = learning;
    this.aliases = new Aliases(options.database);
    this.publicKey = options.keys.publicKey;
    this.#parts = assemble(options, learning);
    this.counters = this.#parts.base.counters;
    this.failed = this.#parts.failed;
    this.paramCount = learning.spec.count;
    const { coordinator, fleetView } = this.#parts;
    this.#evidence = new SparingLook(options.clock, () => fleetView.evidence(coordinator.state));
  }

  start(): Promise<void> {
    this.#hasStarted = this.#start();
    // Delivery may begin at once; what arrives waits for the journal.
    this.#options.uplink.open((message) => this.#hasStarted.then(() => route(this.#parts.context, message)));
    return this.#hasStarted;
  }

  async stop(): Promise<void> {
    const { base, coordinator, effects, fleetView, publisher } = this.#parts;
    effects.stop();
    fleetView.stop();
    publisher.stop();
    await coordinator.stop();
    await this.#options.uplink.close();
    base.staging.close();
  }

  status(): ServerStatus {
    const { coordinator, fleet, policy } = this.#parts;
    const { excluded } = this.#learning;
    return describeStatus({
      ...{ task: this.#options.task.task, state: coordinator.state, fleet, counters: this.counters },
      selection: policy.selection && { policy: policy.selection, excluded },
    });
  }

  stable(): number | undefined {
    const { stable } = this.#parts.coordinator.state;
    return stable === 0 ? undefined : stable;
  }

  rounds(page: RoundsPage): readonly RoundRecord[] {
    return this.#parts.base.history.list(page);
  }

  members(round: number): readonly MemberRecord[] {
    return this.#parts.base.timeline.members(round);
  }

  watch(listener: () => void): () => void {
    return this.#parts.base.changes.watch(listener);
  }

  versions(): readonly VersionRecord[] {
    const { versions, history } = this.#parts.base;
    return versions.list().map((manifest) => ({ manifest, scored: history.scored(manifest.version) }));
  }

  model(version: number): Promise<ModelVersion | undefined> {
    return this.#parts.registry.model(version);
  }

  lineage(version: number, limit: number): readonly Lineage[] {
    return this.#parts.base.lineage.ancestry(version, limit);
  }

  async exported(version: number): Promise<ExportedVersion | undefined> {
    const { registry, base } = this.#parts;
    const artefact = await artefactOf(
      { registry, lineage: base.lineage, publicKey: this.publicKey },
      version,
    );
    return (
      artefact && {
        manifest: artefact.manifest,
        files: artefactFiles(artefact, this.#learning.of(artefact.manifest.arm).spec),
      }
    );
  }

  reports(): ReadonlyMap<DeviceId, ReceivedReport> {
    return this.#parts.fleetView.reports;
  }

  reportCounts(): ReportCounts {
    return this.#parts.fleetView.counts();
  }

  trialEvidence(): TrialEvidence | undefined {
    const { trial } = this.#parts.coordinator.state;
    return trial === null ? undefined : this.#evidence.see(trial);
  }

  async promote(version: number): Promise<ActionResult> {
    const { coordinator } = this.#parts;
    if (!this.#isKept(version)) return notKept(version);
    const { stable, trial } = coordinator.state;
    if (version === stable && trial === null) {
      return { ok: false, reason: `version ${version} is served already` };
    }
    await coordinator.post({ type: "promote", ...this.#scored(version) });
    return { ok: true };
  }

  async rollBack(to?: number): Promise<ActionResult> {
    const { coordinator } = this.#parts;
    const { trial, previous, stable } = coordinator.state;
    const target = to ?? (trial === null ? previous?.version : stable);
    if (target === undefined)
      return { ok: false, reason: "nothing is on trial, and nothing was served before" };
    if (!this.#isKept(target)) return notKept(target);
    await coordinator.post({ type: "roll-back", to: to === undefined ? null : this.#scored(to) });
    return { ok: true };
  }

  async nameVersion(name: string, version: number): Promise<ActionResult> {
    try {
      this.aliases.set(name, version);
    } catch (error) {
      if (error instanceof HeadwaterError && error.code === "config-invalid")
        return { ok: false, reason: error.message };
      throw error;
    }
    this.#parts.base.changes.tell();
    return { ok: true };
  }

  async dropName(name: string): Promise<ActionResult> {
    if (!this.aliases.remove(name)) return { ok: false, reason: `no version is called ${name}` };
    this.#parts.base.changes.tell();
    return { ok: true };
  }

  #isKept(version: number): boolean {
    return this.#parts.registry.manifest(version) !== undefined;
  }

  /** A version, and what it was worth when its own round scored it. */
  #scored(version: number): Scored {
    const { stable, stableValue } = this.#parts.coordinator.state;
    if (version === stable) return { version, value: stableValue };
    const pooled = this.#parts.base.history.scored(version)?.pooled;
    const { metric } = this.#options.task.task.rollout.gate;
    return { version, value: (pooled && metricValue(pooled, metric)) ?? null };
  }

  async #start(): Promise<void> {
    const { base, coordinator, fleet, publisher } = this.#parts;
    await coordinator.load();
    base.lineage.keepTask(this.#options.task);
    for (const device of coordinator.state.fleet.keys()) fleet.expect(device);
    await publisher.publishTask();
    await coordinator.recover();
  }
}

function notKept(version: number): ActionResult {
  return { ok: false, reason: `version ${version} is not kept` };
}
