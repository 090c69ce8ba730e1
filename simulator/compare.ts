// From a run that has ended to its report: every version, each device alone and the naive rule on the same rows.

import type { Trainer } from "../device/train/trainer.js";
import type { ModelVersion } from "../server/model/registry.js";
import { assert } from "../shared/assert.js";
import { defineModel } from "../shared/model/define.js";
import type { ModelDefinition } from "../shared/model/definition.js";
import {
  emptyMetricSums,
  type MetricSums,
  mergeMetricSums,
  metricValue,
  metricValues,
  primaryMetric,
} from "../shared/model/metric.js";
import type { EngineName } from "../shared/model/runtime.js";
import { scoreRows } from "../shared/model/score.js";
import { learnerOf } from "../shared/task/learner.js";
import type { CandidateSpec, MetricName, Task } from "../shared/task/task.js";
import {
  type LocalOnly,
  type LoneDevice,
  type Naive,
  type NaiveRows,
  naiveRows,
  scoreLocalOnly,
  scoreNaive,
} from "./baseline.js";
import type { EndedRun } from "./ended-run.js";
import type { RoundReport, SimulationReport } from "./report.js";
import { describeSelection } from "./selection-report.js";
import { type GivenExamples, givenTestSet, type Judge, ownTestSet, type TestSet } from "./test-set.js";
import { VersionScores } from "./version-scores.js";

/** What is compared, and with what. */
export interface CompareOptions {
  readonly task: Task;
  readonly devices: number;
  /** Examples of the test set that the task brings, if it does. */
  readonly given: GivenExamples | undefined;
  /** What was scored on them by now. */
  readonly scores?: VersionScores;
  readonly seed: string;
  readonly trainer: Trainer;
  /** What the model was computed with. */
  readonly engine: EngineName;
  /** Whether to train every device alone as well. */
  readonly local: boolean;
}

/** The report but for its time. Costs no virtual time, no traffic, and no device learns of it. */
export async function compare(
  run: EndedRun,
  options: CompareOptions,
): Promise<Omit<SimulationReport, "seconds">> {
  const { recorder } = run;
  const { task, given, seed } = options;
  const { finished } = recorder;
  assert(finished !== undefined, "a run that has ended says so");
  // What was on trial when learning ended may have been promoted since.
  const final = await run.version(recorder.stable ?? finished.version);
  const first = await run.version(recorder.firstVersion(final.manifest.arm));
  const metric = primaryMetric(task.model.output);
  const scores = options.scores ?? createScores(await createJudge(run, first, options), options);
  const judge = { ...scores.judge, definition: definitionOf(task, first) };
  const lone = options.local ? await scoreLone(run, { judge, first, metric, ...options }) : undefined;
  const sums = await scores.of(final);
  const naive = await scoreNaiveRule(run, { task, given, metric, judge });
  return {
    task: task.task,
    seed,
    engine: options.engine,
    devices: options.devices,
    metric,
    rounds: await scoreRounds(run, scores, metric),
    updates: { ...recorder.updates },
    federated: metricValue(sums, metric) ?? null,
    metrics: metricValues(sums, task.model.output),
    localOnly: lone?.value ?? null,
    localDevices: lone?.devices ?? 0,
    diverged: lone?.diverged ?? [],
    naive: naive.value,
    naiveRule: naive.rule,
    testRows: judge.testSet.rows,
    predictions: recorder.predictions,
    stopped: finished.reason,
    modelHash: final.manifest.sha256,
    ...(task.candidates && { selection: await describeSelection(run, task) }),
    counters: run.counters(),
    ...(run.loop && { drift: run.loop.report() }),
  };
}

async function createJudge(
  { agents, during }: EndedRun,
  first: ModelVersion,
  options: CompareOptions,
): Promise<Judge> {
  if (options.given !== undefined) return createGivenJudge(options.given, first, options);
  const testSet = await during(ownTestSet(agents.values(), first.scaler));
  return toJudge(testSet, first, options);
}

/** Judges by a given test set, in the scaling of the versions to be judged. */
export function createGivenJudge(
  given: GivenExamples,
  version: ModelVersion,
  options: Pick<CompareOptions, "task" | "trainer">,
): Judge {
  const definition = definitionOf(options.task, version);
  return toJudge(givenTestSet(given, definition, version.scaler), version, options);
}

function toJudge(
  testSet: TestSet,
  version: ModelVersion,
  { task, trainer }: Pick<CompareOptions, "task" | "trainer">,
): Judge {
  return {
    trainer,
    definition: definitionOf(task, version),
    testSet,
    labelFactor: version.scaler.label.factor,
  };
}

/** Scores by that judge; versions of a candidate by that one's model. */
export function createScores(judge: Judge, { task }: Pick<CompareOptions, "task">): VersionScores {
  const { inputs } = judge.definition;
  return new VersionScores(judge, (arm) => defineModel(learnerFor(task, arm).model, inputs));
}

function definitionOf(task: Task, { scaler, manifest }: ModelVersion): ModelDefinition {
  return defineModel(learnerFor(task, manifest.arm).model, scaler.offset.length);
}

/** Model and plan of a version; what comes before any candidate's is the task's own. */
function learnerFor(task: Task, arm: string | undefined): CandidateSpec {
  return learnerOf(task, arm) ?? task;
}

async function scoreRounds(run: EndedRun, scores: VersionScores, metric: MetricName): Promise<RoundReport[]> {
  const reports: RoundReport[] = [];
  for (const [index, round] of run.recorder.rounds.entries()) {
    const { version, arm, accepted, rejected, before, after } = round;
    const value = version === undefined ? null : await score(scores, await run.version(version), metric);
    const bytes = { bytesUp: after.up - before.up, bytesDown: after.down - before.down };
    reports.push({
      round: index + 1,
      ...(arm !== undefined && { arm }),
      value,
      accepted,
      rejected,
      ...bytes,
    });
  }
  return reports;
}

async function score(
  scores: VersionScores,
  version: ModelVersion,
  metric: MetricName,
): Promise<number | null> {
  return metricValue(await scores.of(version), metric) ?? null;
}

interface LoneOptions extends CompareOptions {
  readonly judge: Judge;
  readonly first: ModelVersion;
  readonly metric: MetricName;
}

async function scoreLone(
  { agents, recorder, during }: EndedRun,
  { judge, first, metric, task, seed }: LoneOptions,
): Promise<LocalOnly> {
  const { arm } = first.manifest;
  const steps = recorder.stepsOf(arm);
  const devices: LoneDevice[] = [];
  for (const [name, agent] of agents) {
    const train = await during(agent.scaled("train", first.scaler));
    devices.push({ name, train, steps: steps.get(name) ?? 0 });
  }
  return scoreLocalOnly(judge, devices, {
    params: first.params,
    plan: learnerFor(task, arm).train,
    seed,
    metric,
  });
}

async function scoreNaiveRule(
  { agents, during }: EndedRun,
  options: {
    readonly task: Task;
    readonly given: GivenExamples | undefined;
    readonly metric: MetricName;
    readonly judge: Judge;
  },
): Promise<Naive> {
  const { task, given, metric, judge } = options;
  if (task.label.kind === "none")
    return { rule: "mean", value: metricValue(scoreColumnMeans(judge), metric) ?? null };
  const labels: Float32Array[] = [];
  const tests: NaiveRows[] = given === undefined ? [] : [given];
  for (const agent of agents.values()) {
    labels.push((await during(agent.examples("train"))).labels);
    if (given === undefined) tests.push(naiveRows(await during(agent.examples("test"))));
  }
  return scoreNaive(naiveRule(task), labels, tests, metric);
}

// An autoencoder has to beat the mean of every column over the test rows, in scaled units.
function scoreColumnMeans({ testSet, definition }: Judge): MetricSums {
  const { inputs } = definition;
  const means = new Float32Array(inputs);
  for (const { x } of testSet.batches)
    for (let at = 0; at < x.length; at++) means[at % inputs]! += x[at]! / testSet.rows;
  return testSet.batches
    .map(({ x, rows }) =>
      scoreRows(
        definition,
        x.map((_, at) => means[at % inputs]!),
        x,
        rows,
        1,
      ),
    )
    .reduce(mergeMetricSums, emptyMetricSums);
}

function naiveRule({ label, model }: Task): Naive["rule"] {
  if (label.kind === "forecast") return "persistence";
  const { kind } = model.output;
  return kind === "classification" || kind === "binary" ? "majority" : "mean";
}
