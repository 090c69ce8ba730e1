// The task file's JSON Schema, for editors: what an author may write, with defaults and descriptions.

import { z } from "zod";
import { taskSchema } from "./schema/task.js";

/** JSON Schema (draft 2020-12) of a task file. Looser than `parseTask`: references between parts are not in it. */
export function taskJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(taskSchema, { io: "input" });
  return { title: "Headwater task", ...schema };
}
