// The whole task file: one key per part, every part its own schema.

import { z } from "zod";
import { layoutProblems } from "../../pipeline/layout.js";
import { labelReachMs, reachOf } from "../../pipeline/reach.js";
import { checkReferences } from "../check-references.js";
import type { Task } from "../task.js";
import { features, steps } from "./features.js";
import { joins } from "./join.js";
import { label } from "./label.js";
import { model, train } from "./model.js";
import { monitor, settleMonitor } from "./monitor.js";
import { taskName } from "./names.js";
import { aggregate, rollout, settleRollout } from "./release.js";
import { evaluate, rounds, settleEvaluate } from "./rounds.js";
import { rows, settleSplit } from "./rows.js";
import { candidates, select, settleCandidates, settleSelect } from "./select.js";
import { simulate } from "./simulate.js";
import { entity, sources } from "./sources.js";

const shape = z.strictObject({
  task: taskName.describe("The task's id: one topic level."),
  entity,
  sources,
  steps,
  join: joins,
  features,
  label,
  rows,
  model: model.optional(),
  train,
  candidates: candidates.optional(),
  select: select.optional(),
  rounds,
  evaluate,
  aggregate,
  rollout,
  monitor: monitor.optional(),
  simulate: simulate.optional(),
});

/** A task file: what an author writes going in, a whole `Task` coming out. */
export const taskSchema: z.ZodType<Task> = shape.transform(({ join, ...value }, context): Task => {
  const { every, keep, split } = value.rows;
  const learners = settleLearners(value);
  if (learners === undefined) {
    context.addIssue({ code: "invalid_type", expected: "object", path: ["model"], input: undefined });
    return z.NEVER;
  }
  if (value.select !== undefined && learners.candidates === undefined) {
    context.addIssue({ code: "custom", path: ["select"], message: "there are no candidates to select from" });
  }
  const rollout = settleRollout(value.rollout, learners.model.output);
  const settled = (reachMs: number): Task => ({
    ...value,
    ...learners,
    select: learners.candidates && settleSelect(value.select, rollout),
    joins: join,
    rows: {
      everyMs: every,
      keep: {
        rows: keep.ring,
        reservoir: keep.reservoir,
        balance: keep.balance,
        bytes: keep.size,
        ageMs: keep.age,
      },
      split: settleSplit(split, reachMs),
    },
    evaluate: settleEvaluate(value.evaluate, value.rounds),
    rollout,
    monitor: settleMonitor(value.monitor, { rollout }),
    simulate: value.simulate,
  });
  const task = settled(labelReachMs(value.label));
  // Of what does not fit together only the label's reach is known: the checks say why.
  const isSound = checkReferences(task).length === 0 && layoutProblems(task).length === 0;
  return isSound ? settled(reachOf(task)) : task;
});

// The first by name stands for all where nothing is said: its order in the text is not sent to devices.
function settleLearners({
  model,
  train,
  candidates,
}: Pick<z.output<typeof shape>, "model" | "train" | "candidates">) {
  const given = Object.values(candidates ?? {}).map((each) => each.model ?? model);
  if (model === undefined && (given.length === 0 || given.includes(undefined))) return undefined;
  const named = candidates && settleCandidates(candidates, { model, train });
  const [first] = Object.values(named ?? {});
  const settled = model ?? first?.model;
  return settled && { model: settled, train, candidates: named };
}
