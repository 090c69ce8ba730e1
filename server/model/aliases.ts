// Names that people give to versions. A version with a name is kept.

import { HeadwaterError } from "../../shared/error.js";
import type { Database } from "../../shared/storage/port.js";

/** Names at once. */
const ALIASES_MAX = 100;
/** Lines of the server's own: they say where a version stands, and nobody moves them by name. */
const RESERVED: ReadonlySet<string> = new Set(["head", "stable", "canary", "shadow", "candidate", "own"]);

/** The table `aliases`. */
export class Aliases {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every name, in order. */
  list(): readonly { readonly name: string; readonly version: number }[] {
    return this.#database
      .all("SELECT name, version FROM aliases ORDER BY name")
      .map(({ name, version }) => ({ name: String(name), version: Number(version) }));
  }

  /** The names of a version. */
  of(version: number): readonly string[] {
    return this.list().flatMap((alias) => (alias.version === version ? alias.name : []));
  }

  find(name: string): number | undefined {
    const row = this.#database.get("SELECT version FROM aliases WHERE name = ?", name);
    return row === undefined ? undefined : Number(row.version);
  }

  /** Names a version; the name may have been another's. Throws `config-invalid` for a bad name or an unknown version. */
  set(name: string, version: number): void {
    this.check(name);
    if (this.#database.get("SELECT version FROM versions WHERE version = ?", version) === undefined)
      throw new HeadwaterError(
        "config-invalid",
        `there is no version ${version} (any more) to be called ${name}`,
      );
    this.#database.run("INSERT OR REPLACE INTO aliases (name, version) VALUES (?, ?)", name, version);
  }

  /** Throws `config-invalid` unless `name` can be an alias, and there is room for it. */
  check(name: string): void {
    checkName(name);
    if (this.find(name) !== undefined || this.list().length < ALIASES_MAX) return;
    const message = `there are ${ALIASES_MAX} aliases, which is the limit: remove one`;
    throw new HeadwaterError("config-invalid", message);
  }

  /** True when there was such a name. */
  remove(name: string): boolean {
    return this.#database.run("DELETE FROM aliases WHERE name = ?", name) > 0;
  }
}

function checkName(name: string): void {
  if (RESERVED.has(name))
    throw new HeadwaterError("config-invalid", `${name} is a line of the server's own, not an alias`);
  if (/^[a-z][a-z0-9-]{0,62}$/.test(name)) return;
  const message = `alias ${JSON.stringify(name)}: expected a letter, then up to 62 letters, digits and hyphens, lower case`;
  throw new HeadwaterError("config-invalid", message);
}
