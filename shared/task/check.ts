// What one part of a task says about another: references, fields, leakage, and what fits together.

import { DEFAULT_DETECTOR, detectors } from "../drift/concept/registry.js";
import { metricsOf } from "../model/metric.js";
import { layOut, layoutProblems } from "../pipeline/layout.js";
import { checkCandidates } from "./check-candidates.js";
import { checkLabel } from "./check-label.js";
import { checkReferences } from "./check-references.js";
import { checkSimulation } from "./check-simulation.js";
import { hostFields } from "./host-fields.js";
import type { Problem } from "./problem.js";
import { didYouMean } from "./suggest.js";
import type { MetricName, Task } from "./task.js";
import { formatDuration } from "./units.js";

/** Most columns whose statistics and quantiles fit into the header of one update. */
const ROBUST_COLUMNS_MAX = 2_500;

/** Everything wrong with a task whose every part is well formed. */
export function checkTask(task: Task): Problem[] {
  const references = checkReferences(task);
  return [
    ...references,
    // Fields flow along references: with a broken one there is nothing to follow.
    ...(references.length === 0 ? checkLayout(task) : []),
    ...checkLabel(task),
    ...checkMetrics(task),
    ...checkCandidates(task),
    ...checkMonitor(task),
    ...checkRounds(task),
    ...checkSimulation(task),
  ];
}

function checkLayout(task: Task): readonly Problem[] {
  const problems = layoutProblems(task);
  if (problems.length > 0) return problems;
  return [...checkHostFields(task), ...checkRobust(task)];
}

function checkRobust(task: Task): readonly Problem[] {
  if (task.features.scale.kind !== "robust") return [];
  const { length } = layOut(task).columns;
  if (length <= ROBUST_COLUMNS_MAX) return [];
  const message = `robust scaling takes ${ROBUST_COLUMNS_MAX} columns at most, there are ${length}: expected "standard"`;
  return [{ path: ["features", "scale"], message }];
}

// Fields of other sources are whatever their messages hold.
function checkHostFields(task: Task): readonly Problem[] {
  const { sources, labelSource } = layOut(task);
  return [...sources, ...(labelSource === undefined ? [] : [labelSource])]
    .filter(({ name }) => task.sources[name]?.host !== undefined)
    .flatMap(({ name, fields }) =>
      fields
        .filter((field) => !Object.hasOwn(hostFields, field.name))
        .map((field) => ({ path: ["sources", name, "host"], message: unknownHostField(field.name) })),
    );
}

function unknownHostField(field: string): string {
  const known = Object.keys(hostFields);
  return `a device has no field "${field}" of itself${didYouMean(field, known) || `: ${known.join(", ")}`}`;
}

function checkMetrics({ rounds, rollout, monitor, model, rows }: Task): Problem[] {
  const problems: Problem[] = [];
  const check = (metric: MetricName, path: Problem["path"]) => {
    if (metricsOf(model.output).includes(metric)) return;
    problems.push({ path, message: `${metric} does not fit a model for ${model.output.kind}` });
  };
  check(rollout.gate.metric, ["rollout", "gate", rollout.gate.metric]);
  for (const { metric } of monitor?.limits ?? []) check(metric, ["monitor", "limits", metric]);
  if (rounds.stop === undefined) return problems;
  check(rounds.stop.metric, ["rounds", "stop", "metric"]);
  if (rows.split.validation.share === 0) {
    problems.push({
      path: ["rounds", "stop", "on"],
      message: "rows.split.validation is 0%: there is nothing to judge by",
    });
  }
  return problems;
}

function checkMonitor({ monitor, model }: Task): readonly Problem[] {
  const { kind } = model.output;
  const name = monitor?.concept?.kind;
  const hasMisses = kind === "classification" || kind === "binary";
  if (name === undefined || hasMisses || detectors[name]?.input !== "bits") return [];
  const message = `${name} hears hits and misses, and a model for ${kind} has errors of any size: expected another, such as ${DEFAULT_DETECTOR}`;
  return [{ path: ["monitor", "concept"], message }];
}

function checkRounds({ rounds }: Task): Problem[] {
  if (rounds.leaseMs <= rounds.deadlineMs) return [];
  const lease = formatDuration(rounds.leaseMs);
  const deadline = formatDuration(rounds.deadlineMs);
  return [{ path: ["rounds", "lease"], message: `${lease} is longer than the deadline ${deadline}` }];
}
