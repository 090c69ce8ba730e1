// The disk of one simulated machine: databases in memory that outlive the processes which open them.

import type { Cell, Database, Migrations, Row } from "../shared/storage/port.js";
import { openSqlite } from "../shared/storage/sqlite.js";

/** One database and who may use it: the process that opened it last, until it is killed. */
export class Disk {
  readonly #database: Database;

  constructor(migrations: Migrations) {
    this.#database = openSqlite({ path: ":memory:", durability: "normal", migrations });
  }

  /** The database as one process sees it, until that process is gone. */
  mount(life: Life): Database {
    const database = this.#database;
    const use = <Result>(action: () => Result): Result => {
      if (life.isOver) throw new ProcessGone();
      return action();
    };
    return {
      run: (sql: string, ...cells: readonly Cell[]) => use(() => database.run(sql, ...cells)),
      get: (sql: string, ...cells: readonly Cell[]) => use(() => database.get(sql, ...cells)),
      all: (sql: string, ...cells: readonly Cell[]) => use(() => database.all(sql, ...cells)),
      iterate: (sql: string, ...cells: readonly Cell[]): IterableIterator<Row> =>
        use(() => database.iterate(sql, ...cells)),
      transaction: (body) => use(() => database.transaction(body)),
      close: () => undefined,
    };
  }

  /** Takes the disk apart, with all that is on it. */
  destroy(): void {
    this.#database.close();
  }
}

/** Whether a simulated process still runs. */
export interface Life {
  isOver: boolean;
}

/** Thrown at a process that has been killed and does not know it yet. */
export class ProcessGone extends Error {
  constructor() {
    super("this simulated process has been killed");
    this.name = "ProcessGone";
  }
}
