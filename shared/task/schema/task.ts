// The whole task file: one key per part, every part its own schema.

import { z } from "zod";
import type { LabelSpec, Task } from "../task.js";
import { features, steps } from "./features.js";
import { joins } from "./join.js";
import { label } from "./label.js";
import { model, train } from "./model.js";
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
  simulate: simulate.optional(),
});

/** A task file: what an author writes going in, a whole `Task` coming out. */
export const taskSchema: z.ZodType<Task> = shape.transform(
  ({ join, ...value }): Task => ({
    ...value,
    joins: join,
    rows: {
      everyMs: value.rows.every,
      keep: { rows: value.rows.keep.ring, bytes: value.rows.keep.size, ageMs: value.rows.keep.age },
      split: settleSplit(value.rows.split, aheadMs(value.label)),
    },
    evaluate: settleEvaluate(value.evaluate, value.rounds),
    rollout: settleRollout(value.rollout, value.model.output),
    simulate: value.simulate,
  }),
);

function aheadMs(label: LabelSpec): number {
  return label.kind === "forecast" && label.ahead.kind === "time" ? label.ahead.ms : 0;
}
