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
  model,
  train,
  rounds,
  evaluate,
  aggregate,
  rollout,
  monitor: monitor.optional(),
  simulate: simulate.optional(),
});

/** A task file: what an author writes going in, a whole `Task` coming out. */
export const taskSchema: z.ZodType<Task> = shape.transform(({ join, ...value }): Task => {
  const { every, keep, split } = value.rows;
  const rollout = settleRollout(value.rollout, value.model.output);
  const settled = (reachMs: number): Task => ({
    ...value,
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
