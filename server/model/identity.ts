// Whose versions a database holds.

import { HeadwaterError } from "../../shared/error.js";
import type { Database } from "../../shared/storage/port.js";
import type { LoadedTask } from "../../shared/task/parse.js";

/** Claims the database for what `identity` stands for. Throws `task-invalid` when it holds something else. */
export function claimDatabase(database: Database, { task }: LoadedTask, identity: string): void {
  database.run("INSERT OR IGNORE INTO identity (name, value) VALUES ('learning', ?)", identity);
  const row = database.get("SELECT value FROM identity WHERE name = 'learning'");
  if (row?.value === identity) return;
  throw new HeadwaterError(
    "task-invalid",
    `the database holds versions of another task, pipeline or model than ${task.task} has now: use another one`,
  );
}
