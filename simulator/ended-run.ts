// A run that has ended, as whoever reports on it sees it.

import type { Agent } from "../device/agent.js";
import type { ModelVersion } from "../server/model/registry.js";
import type { DeviceId } from "../shared/id.js";
import type { LoopWatch } from "./loop/loop-watch.js";
import type { Recorder } from "./recorder.js";
import type { SimulationReport } from "./report.js";

/** A run that has ended, in whatever time it lived. */
export interface EndedRun {
  readonly recorder: Recorder;
  /** Of a fleet that is monitored while telemetry streams in. */
  readonly loop: LoopWatch | undefined;
  readonly agents: ReadonlyMap<DeviceId, Agent>;
  /** A version that was head once. Rejects with `training-failed` when it was not kept. */
  version(version: number | undefined): Promise<ModelVersion>;
  /** Waits for work of the fleet. */
  readonly during: <Result>(work: Promise<Result>) => Promise<Result>;
  counters(): SimulationReport["counters"];
}
