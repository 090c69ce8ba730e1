// Whether a task's candidates can be compared: the same kind of answer, by a metric that means the same for all.

import { metricsOf } from "../model/metric.js";
import { canonicalJson } from "./canonical.js";
import type { Problem } from "./problem.js";
import type { OutputSpec, Task } from "./task.js";

/** What is wrong with the candidates. */
export function checkCandidates(task: Task): readonly Problem[] {
  const { candidates, select, model, rows } = task;
  if (candidates === undefined || select === undefined) return [];
  const others = Object.entries(candidates).filter(
    ([, { model: each }]) => answerOf(each.output) !== answerOf(model.output),
  );
  const problems: Problem[] = others.map(([name]) => ({
    path: ["candidates", name, "model"],
    message: `a model for another kind of answer than ${model.output.kind}: candidates answer alike`,
  }));
  if (!metricsOf(model.output).includes(select.metric)) {
    const message = `${select.metric} does not fit a model for ${model.output.kind}`;
    problems.push({ path: ["select", "metric"], message });
  }
  if (select.metric === "loss" && hasManyLosses(task)) {
    problems.push({ path: ["select", "metric"], message: "the candidates' losses are not the same" });
  }
  if (rows.split.validation.share === 0) {
    const message = "rows.split.validation is 0%: there is nothing to compare candidates by";
    problems.push({ path: ["candidates"], message });
  }
  return problems;
}

// A loss is how a model learns, not what it answers.
function answerOf(output: OutputSpec): string {
  return canonicalJson("loss" in output ? { ...output, loss: undefined } : output);
}

function hasManyLosses({ candidates = {} }: Task): boolean {
  return new Set(Object.values(candidates).map(({ model }) => canonicalJson(model.output))).size > 1;
}
