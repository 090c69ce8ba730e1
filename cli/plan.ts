// `headwater plan TASK`: what a task will cost, before anything runs.

import Table from "cli-table3";
import { type Command, Option } from "commander";
import { systemClock } from "../shared/clock.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import { defineModel } from "../shared/model/define.js";
import type { ModelDefinition } from "../shared/model/definition.js";
import { defaultEngine, engineNames } from "../shared/model/engine.js";
import type { EngineChoice, EngineName, EngineRefusal } from "../shared/model/runtime.js";
import { type PartPlan, planPipeline } from "../shared/pipeline/plan.js";
import { measureParts } from "../shared/pipeline/trial.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Task } from "../shared/task/task.js";
import { formatBytes, formatDuration } from "../shared/task/units.js";
import { float32 } from "../shared/wire/codec/float32.js";
import { loadTaskFile } from "./task-file.js";

const SHOWN_COLUMNS = 40;
/** How long each operator is tried. */
const TRIAL_MS = 20;

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("plan")
    .description("check a task and print its columns, model size, traffic and memory")
    .argument("<task>", "task file (YAML)")
    .addOption(engineOption())
    .option("--json", "print one JSON object")
    .action(async (path: string, options: { readonly engine: EngineChoice; readonly json?: true }) => {
      const plan = await planTask(loadTaskFile(path), options.engine);
      process.stdout.write(options.json ? `${JSON.stringify(plan)}\n` : describePlan(plan));
    });
}

/** `--engine`: which code does the arithmetic. */
export function engineOption(): Option {
  return new Option("--engine <name>", "which code does the arithmetic")
    .choices(engineNames)
    .default(defaultEngine);
}

interface TaskPlan {
  readonly task: string;
  readonly engine: EngineName;
  /** Faster engines that do not run this model, and why. */
  readonly refusals: readonly EngineRefusal[];
  readonly columns: readonly string[];
  readonly params: number;
  /** Of a task that has some; the model above is then the first. */
  readonly candidates: readonly CandidatePlan[];
  readonly bytesPerUpdate: number;
  readonly stateBytesPerEntity: number;
  readonly pendingBytesPerEntity: number;
  readonly gapMs: number;
  readonly warmUp: { readonly ms: number; readonly rows: number };
  readonly parts: readonly TimedPart[];
  readonly pipelineHash: string;
  readonly topologyHash: string;
  readonly taskHash: string;
}

interface CandidatePlan {
  readonly name: string;
  readonly params: number;
  readonly bytesPerUpdate: number;
  readonly engine: EngineName;
}

interface TimedPart extends PartPlan {
  /** Measured on this machine, per row; absent for a join. */
  readonly microseconds: number | undefined;
}

async function planTask(
  { task, pipelineHash, taskHash }: LoadedTask,
  choice: EngineChoice,
): Promise<TaskPlan> {
  const { columns, stateBytesPerEntity, pendingBytesPerEntity, warmUp, parts } = planPipeline(task);
  const timesMs = measureParts(task, systemClock, TRIAL_MS);
  const definition = defineModel(task.model, columns.length);
  const built = await build(definition, choice);
  return {
    task: task.task,
    ...built,
    candidates: await planCandidates(task, columns.length, choice),
    columns,
    bytesPerUpdate: float32.byteLength(built.params),
    stateBytesPerEntity,
    pendingBytesPerEntity,
    gapMs: task.rows.split.gapMs,
    warmUp,
    parts: parts.map((part, i) => ({ ...part, microseconds: microsecondsOf(timesMs[i]) })),
    pipelineHash,
    topologyHash: definition.topologyHash,
    taskHash,
  };
}

async function planCandidates(
  { candidates = {} }: Task,
  columns: number,
  choice: EngineChoice,
): Promise<CandidatePlan[]> {
  const plans: CandidatePlan[] = [];
  for (const [name, { model }] of Object.entries(candidates)) {
    const { engine, params } = await build(defineModel(model, columns), choice);
    plans.push({ name, params, bytesPerUpdate: float32.byteLength(params), engine });
  }
  return plans;
}

function microsecondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1e6) / 1e3;
}

// Only the engine knows what a topology holds, and whether it can run it.
async function build(
  definition: ModelDefinition,
  choice: EngineChoice,
): Promise<Pick<TaskPlan, "engine" | "refusals" | "params">> {
  const runtime = await createRuntime(choice);
  try {
    const { engine, refusals, spec } = await runtime.model(definition);
    return { engine, refusals, params: spec.count };
  } finally {
    runtime.dispose();
  }
}

function describePlan(plan: TaskPlan): string {
  const lines = [
    ["task", plan.task],
    ["columns", describeColumns(plan.columns)],
    ["parameters", `${plan.params}`],
    ["bytes per update", `${plan.bytesPerUpdate} (${formatBytes(plan.bytesPerUpdate)})`],
    ["state per entity", formatBytes(plan.stateBytesPerEntity)],
    [" unlabelled rows", formatBytes(plan.pendingBytesPerEntity)],
    ["split gap", formatDuration(plan.gapMs)],
    ["warm-up", describeWarmUp(plan.warmUp)],
    ["engine", plan.engine],
    ...plan.refusals.flatMap(({ engine, reasons }) =>
      reasons.map((reason) => [`  not ${engine}`, reason] as const),
    ),
    ...plan.candidates.map(({ name, params, bytesPerUpdate, engine }) => {
      const size = `${params} parameters, ${formatBytes(bytesPerUpdate)} per update, ${engine}`;
      return [`candidate`, `${name}: ${size}`] as const;
    }),
    ["pipeline hash", plan.pipelineHash],
    ["topology hash", plan.topologyHash],
    ["task hash", plan.taskHash],
  ] as const;
  return `${lines.map(([name, value]) => `${name.padEnd(18)}${value}\n`).join("")}\n${describeParts(plan.parts)}\n`;
}

function describeParts(parts: readonly TimedPart[]): string {
  const table = new Table({
    head: ["where", "operator", "columns", "state", "warm-up", "us per row"],
    style: { head: [], border: [] },
    colAligns: ["left", "left", "right", "right", "right", "right"],
  });
  for (const { where, name, columns, stateBytes, warmUpMs, warmUpRows, microseconds } of parts) {
    const warmUp = describeWarmUp({ ms: warmUpMs, rows: warmUpRows });
    table.push([where, name, columns.length || "", formatBytes(stateBytes), warmUp, microseconds ?? ""]);
  }
  return table.toString();
}

// A picture has hundreds of columns: the first tell which they are.
function describeColumns(columns: readonly string[]): string {
  const shown = columns.slice(0, SHOWN_COLUMNS);
  const more = columns.length - shown.length;
  return `${columns.length}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function describeWarmUp({ ms, rows }: TaskPlan["warmUp"]): string {
  if (rows === 0) return "none";
  const needed = rows === 1 ? "1 row" : `${rows} rows`;
  return ms > 0 ? `${formatDuration(ms)} and ${needed}` : needed;
}
