// The names an author gives: tasks, sources, steps. Fields are named as the operators name them.

import { z } from "zod";
import { isLevel, type TaskId } from "../../id.js";

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const NAME_RULE = "expected 1-64 letters, digits, _ or -, starting with a letter";

const TASK_RULE = "expected 1-64 letters, digits, _ or -, starting with a letter or digit";

/** The task's id: one topic level. */
export const taskName = z
  .string({ error: TASK_RULE })
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, { error: TASK_RULE })
  .refine((text): text is TaskId => isLevel(text), { error: TASK_RULE });

/** Names a source, a step or a generator. */
export const name = z.string({ error: NAME_RULE }).regex(NAME, { error: NAME_RULE });

/** A map from names to `value`, of at most `limit` entries. */
export function named<Value extends z.ZodType>(value: Value, limit: number, key = name) {
  return z.record(key, value).refine((record) => Object.keys(record).length <= limit, {
    error: `expected at most ${limit} entries`,
  });
}
