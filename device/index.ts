// headwater/device: everything a program needs to run a device of its own.

export { type Agent, type AgentOptions, type AgentStatus, createAgent } from "./agent.js";
export type { RawExamples } from "./examples/batch.js";
export type { AbandonReason, DeviceFact, Prediction } from "./fact.js";
export {
  type Accept,
  type FetchedModel,
  type FetchModelOptions,
  fetchModel,
} from "./on-demand/fetch-model.js";
export type { RowWatcher, WatchedTask, WatchRows } from "./row-watcher.js";
export { stateMigrations, telemetryMigrations } from "./storage.js";
export { createInlineTrainer } from "./train/inline.js";
export { createTrainerPool } from "./train/pool.js";
export type { ExampleBatch, Job, JobResult, Trainer } from "./train/trainer.js";
