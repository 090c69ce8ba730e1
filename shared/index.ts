// The shared vocabulary, for users of the package. Inside, import the file.

export { type Clock, systemClock } from "./clock.js";
export { Counters } from "./counters.js";
export { type ErrorCode, HeadwaterError } from "./error.js";
export { type DeviceId, parseDeviceId, parseTaskId, type TaskId, type UpdateId } from "./id.js";
export { createLogger, type Logger, type LogLevel, silentLogger } from "./log.js";
export { createRuntime } from "./model/create-runtime.js";
export { defineModel } from "./model/define.js";
export type { ModelDefinition } from "./model/definition.js";
export { defaultEngine, engineNames } from "./model/engine.js";
export { type MetricSums, mergeMetricSums, metricValue } from "./model/metric.js";
export type {
  EngineChoice,
  EngineName,
  EngineRefusal,
  Model,
  ModelRuntime,
  StepTerms,
  TrainingOptions,
} from "./model/runtime.js";
export { createTfjsRuntime } from "./model/tfjs.js";
export { createPipeline, type Pipeline, type PipelineOptions } from "./pipeline/pipeline.js";
export { planPipeline } from "./pipeline/plan.js";
export type { Example, FeatureRow, FittedScaler, Reading, Split, Value } from "./pipeline/types.js";
export { type Random, randomStream } from "./random.js";
export type { Database, OpenOptions } from "./storage/port.js";
export { openSqlite } from "./storage/sqlite.js";
export { taskJsonSchema } from "./task/json-schema.js";
export { type LoadedTask, parseTask } from "./task/parse.js";
export type { Task } from "./task/task.js";
export { createMemoryBroker, type MemoryBroker } from "./transport/memory.js";
export type { Link, Message, Uplink, UplinkMessage } from "./transport/port.js";
export { generateKeys, type KeyPair } from "./wire/signature.js";
