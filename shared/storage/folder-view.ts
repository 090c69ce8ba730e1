// A data folder's databases as others may look at them: read only, also while whoever they belong to runs.

import { join } from "node:path";
import type { Database, Migrations } from "./port.js";
import { openSqliteReadOnly } from "./sqlite.js";

/** Opens one of the folder's databases. */
type Open = (name: string, migrations: Migrations) => Database;

/** What `look` finds, and what closes all that it has opened. When it throws, nothing stays open. */
export function viewDatabases<View extends object>(
  folder: string,
  look: (open: Open) => View,
): View & { close(): void } {
  const opened: Database[] = [];
  const close = () => {
    for (const database of opened) database.close();
  };
  const open: Open = (name, migrations) => {
    const database = openSqliteReadOnly({ path: join(folder, name), migrations });
    opened.push(database);
    return database;
  };
  try {
    return { ...look(open), close };
  } catch (error) {
    close();
    throw error;
  }
}
