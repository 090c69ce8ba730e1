// What some lines of data hold, side by side: a bounded table that everything else is guessed from.

/** One value of a message; undefined where the message has no such field. */
export type Cell = number | string | boolean | null | readonly number[] | undefined;

/** Values of one field, by row. A column that came up late is shorter at its end, never at its beginning. */
export type Column = readonly Cell[];

/** Where a row comes from. */
export interface Origin {
  readonly file: string;
  readonly topic: string | undefined;
}

/** Rows of records. */
export interface Table {
  readonly rows: number;
  /** Of each row: where its line was, and the topic it named, if any. */
  readonly origins: readonly Origin[];
  /** By path, in the order in which they first came up. */
  readonly columns: ReadonlyMap<string, Column>;
}

/** Fields told apart; further ones are only counted. */
const FIELDS_MAX = 256;
/** Values kept in all: some hundred megabytes at most. */
const CELLS_MAX = 4_000_000;
const ROWS_MAX = 50_000;

/** Collects rows. */
export class TableBuilder implements Table {
  readonly origins: Origin[] = [];
  readonly columns = new Map<string, Cell[]>();
  /** Fields that came up when there was no more room. */
  readonly left = new Set<string>();

  get rows(): number {
    return this.origins.length;
  }

  /** No more rows are taken. */
  get isFull(): boolean {
    return this.rows >= ROWS_MAX || this.rows * this.columns.size >= CELLS_MAX;
  }

  add(origin: Origin, fields: Iterable<readonly [path: string, cell: Cell]>): void {
    const row = this.rows;
    this.origins.push(origin);
    for (const [path, cell] of fields) {
      const column = this.columns.get(path) ?? this.#addColumn(path);
      if (column === undefined) continue;
      while (column.length < row) column.push(undefined);
      column[row] = cell;
    }
  }

  #addColumn(path: string): Cell[] | undefined {
    if (this.columns.size >= FIELDS_MAX) {
      if (this.left.size < FIELDS_MAX) this.left.add(path);
      return undefined;
    }
    const column: Cell[] = [];
    this.columns.set(path, column);
    return column;
  }
}

/** Some of a table's rows, in their order; a column without values there is gone. */
export function pickRows(table: Table, rows: readonly number[]): Table {
  if (rows.length === table.rows) return table;
  const columns = new Map<string, Column>();
  for (const [path, column] of table.columns) {
    const picked = rows.map((row) => column[row]);
    if (picked.some((cell) => cell !== undefined)) columns.set(path, picked);
  }
  return { rows: rows.length, origins: rows.map((row) => table.origins[row]!), columns };
}
