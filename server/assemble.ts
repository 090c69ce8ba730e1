// The server's parts, each given what it needs and nothing more.

import { Counters } from "../shared/counters.js";
import { messageOf } from "../shared/error.js";
import type { Logger } from "../shared/log.js";
import { quantileNeeds } from "../shared/pipeline/scaler.js";
import { Scratch } from "../shared/wire/scratch.js";
import { Changes } from "./changes.js";
import type { ServerFact } from "./fact.js";
import { FleetRegistry } from "./fleet/registry.js";
import { ChunkFiles } from "./ingest/chunk-files.js";
import type { IngestContext } from "./ingest/context.js";
import { Downlink } from "./ingest/downlink.js";
import { DropLog } from "./ingest/drop-log.js";
import { ReceiptStore } from "./ingest/receipts.js";
import { Staging } from "./ingest/staging.js";
import { RunWriter } from "./lineage/run-writer.js";
import { LineageStore } from "./lineage/store.js";
import { Aliases } from "./model/aliases.js";
import { Demand } from "./model/demand.js";
import { type ArmLearning, type Learning, paramBytes } from "./model/learning.js";
import { VersionMaker } from "./model/maker.js";
import { Publisher } from "./model/publisher.js";
import { ModelRegistry } from "./model/registry.js";
import { VersionStore } from "./model/version-store.js";
import { FleetView } from "./monitor/fleet-view.js";
import { ReportStore } from "./monitor/report-store.js";
import { defaultLimits, type ServerLimits, type ServerOptions } from "./options.js";
import { Coordinator } from "./round/coordinator.js";
import { Effects } from "./round/effects.js";
import { RoundHistory } from "./round/history.js";
import { type Policy, policyOf } from "./round/policy.js";
import { RoundTimeline } from "./round/timeline.js";
import type { ArmPolicy } from "./select/state.js";
import { SqliteJournal, type Stores } from "./storage.js";

/** The parts that outlive their making. */
export interface Parts {
  readonly base: Base;
  readonly failed: Promise<never>;
  readonly fleet: FleetRegistry;
  readonly registry: ModelRegistry;
  readonly publisher: Publisher;
  readonly effects: Effects;
  readonly coordinator: Coordinator;
  readonly fleetView: FleetView;
  readonly policy: Policy;
  readonly context: IngestContext;
}

/** What nearly every part needs. */
interface Base extends Stores {
  readonly limits: ServerLimits;
  readonly counters: Counters;
  readonly downlink: Downlink;
  readonly fleet: FleetRegistry;
  readonly registry: ModelRegistry;
  readonly timeline: RoundTimeline;
  readonly changes: Changes;
  readonly observe: (fact: ServerFact) => void;
}

/** Puts the parts together; nothing runs yet. */
export function assemble(options: ServerOptions, learning: Learning): Parts {
  const { task, clock, keys, logger, seed } = options;
  const base = layBase(options);
  const { failed, fail } = watchForFaults(logger);
  const publisher = new Publisher({ ...options, counters: base.counters });
  const policy = policyOf(task.task, {
    ...{ seed, maxDevices: base.limits.devices },
    arms: learning.arms.flatMap(armPolicyOf),
  });
  const reports = new ReportStore(options.database);
  const fleetView = new FleetView({ store: reports, policy, clock, counters: base.counters });
  const runs = new RunWriter({ ...base, loaded: task, keys, learning, seed });
  const maker = new VersionMaker({ ...base, loaded: task, keys, clock, learning, runs });
  // Each needs the other: what is made comes back as an event.
  const effects: Effects = new Effects({
    ...base,
    ...{ seed, clock, logger, publisher, maker, fleetView, fail },
    chunkBytes: base.limits.chunkBytes,
    post: (occurrence, attached) => coordinator.post(occurrence, attached),
  });
  const coordinator = new Coordinator({
    ...{ clock, logger, fail, counters: base.counters },
    journal: new SqliteJournal(options.database, base),
    policy,
    execute: (command, state) => effects.execute(command, state),
  });
  const context = createContext(options, base, { learning, coordinator, fleetView, fail });
  return {
    base,
    failed,
    publisher,
    effects,
    coordinator,
    context,
    fleetView,
    policy,
    fleet: base.fleet,
    registry: base.registry,
  };
}

function layBase(options: ServerOptions): Base {
  const { task, clock, database, keys, limits, logger, observe, stagingFolder, uplink } = options;
  const all = { ...defaultLimits, ...limits };
  const counters = new Counters();
  const versions = new VersionStore(database);
  const timeline = new RoundTimeline({ database, clock, counters });
  const changes = new Changes();
  const fleet = new FleetRegistry({ limit: all.devices, changed: changes.tell });
  return {
    limits: all,
    counters,
    versions,
    staging: new Staging(
      database,
      stagingFolder === undefined ? undefined : new ChunkFiles(database, stagingFolder),
    ),
    receipts: new ReceiptStore({ database, keys, task: task.task.task }),
    registry: new ModelRegistry(versions),
    history: new RoundHistory(database),
    lineage: new LineageStore({ database, keys, task: task.task }),
    downlink: new Downlink({ task: task.task.task, uplink, counters, logger, fleet }),
    fleet,
    timeline,
    changes,
    observe: (fact) => {
      timeline.observe(fact);
      observe?.(fact);
      changes.tell();
    },
  };
}

function createContext(
  { task, clock, database, devices, keys, logger, verifyThread }: ServerOptions,
  base: Base,
  {
    learning,
    coordinator,
    fleetView,
    fail,
  }: Pick<IngestContext, "coordinator" | "fleetView" | "fail"> & { readonly learning: Learning },
): IngestContext {
  const aliases = new Aliases(database);
  const rulesOfAll = {
    task: task.task.task,
    columns: learning.columns,
    quantiles: quantileNeeds(task.task),
    isBinary: task.task.model.output.kind === "binary",
    examplesMax: task.task.rows.keep.rows + task.task.rows.keep.reservoir,
  };
  return {
    ...base,
    task: task.task.task,
    rulesOf: (baseVersion) => ({
      ...rulesOfAll,
      ...rulesOfArm(armOfBase(learning, base.registry, baseVersion)),
      beside: coordinator.state.open?.beside?.length ?? 0,
    }),
    taskHash: task.taskHash,
    minExamples: task.task.rounds.minExamples,
    leaseMs: task.task.rounds.leaseMs,
    drops: new DropLog(base.counters, logger),
    demand: new Demand({
      ...{ task: task.task.task, keys, clock, registry: base.registry, devices: base.limits.devices },
      aliasOf: (name) => aliases.find(name),
    }),
    verifyThread,
    scratch: new Scratch(),
    ...{ clock, devices, coordinator, fleetView, fail },
  };
}

/** The model that updates on that version are of. */
function armOfBase(learning: Learning, registry: ModelRegistry, baseVersion: number): ArmLearning {
  if (learning.arm === undefined) return learning;
  return learning.of(registry.manifest(baseVersion)?.arm ?? learning.arm);
}

function armPolicyOf(learning: ArmLearning): readonly ArmPolicy[] {
  if (learning.arm === undefined) return [];
  return [{ name: learning.arm, parameters: learning.spec.count, bytes: paramBytes(learning) }];
}

function rulesOfArm({ spec: { count, fingerprint } }: ArmLearning) {
  return { count, fingerprint };
}

function watchForFaults(logger: Logger): {
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
} {
  let reject: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed;
  });
  // Whoever does not watch for it must not be ended by it.
  failed.catch(() => undefined);
  const fail = (error: unknown) => {
    logger.error({ error: messageOf(error) }, "a mistake of our own");
    reject(error);
  };
  return { failed, fail };
}
