// Looks at some data as nobody has described it yet, and says what it seems to hold.

import { HeadwaterError } from "../../shared/error.js";
import { readLines } from "../offline/file-lines.js";
import { topicFor } from "../offline/line-format.js";
import { type EntityGuess, guessEntity } from "./entity-guess.js";
import { type FieldSurvey, surveyFields } from "./field-survey.js";
import { addLines } from "./records.js";
import { type LineShape, SNIFFED_LINES, type SurveyFormat, sniff } from "./sniff.js";
import { measureSpacing, type Spacing } from "./spacing.js";
import { TableBuilder } from "./table.js";
import { guessTime, type TimeGuess } from "./time-guess.js";

/** Where to look, and for how long. */
export interface SurveyOptions {
  readonly files: readonly string[];
  /** Undefined: told by the first lines. */
  readonly format: SurveyFormat | undefined;
  /** Event time of each file that is looked at, at least `ROWS_MIN` rows of it. */
  readonly spanMs: number;
}

/** What data seems to hold. */
export interface Survey {
  readonly shape: LineShape;
  readonly rows: number;
  readonly unread: number;
  readonly time: TimeGuess | undefined;
  readonly spacing: Spacing | undefined;
  readonly entity: Omit<EntityGuess, "table" | "entities">;
  /** Things that were told apart. */
  readonly entities: number;
  readonly fields: readonly FieldSurvey[];
  /** Whether each file is about one thing, named by the file. */
  readonly isByFile: boolean;
  readonly notes: readonly string[];
}

/** An hour of what comes once an hour tells nothing. */
const ROWS_MIN = 1_000;
const LOOK_GROWTH = 1.25;

/** Surveys files. Rejects with `data-invalid` when nothing can be read of them, else as `readLines`. */
export async function survey(options: SurveyOptions): Promise<Survey> {
  const table = new TableBuilder();
  let shape: LineShape | undefined;
  let unread = 0;
  for (const path of options.files) {
    const read = await surveyFile(path, table, { ...options, shape });
    shape ??= read.shape;
    unread += read.unread;
  }
  if (shape === undefined || table.rows === 0)
    throw new HeadwaterError(
      "data-invalid",
      `no reading was found in ${options.files.join(", ")}: expected lines of JSON or CSV, or topics followed by JSON`,
    );
  return conclude({ table, shape, unread });
}

async function surveyFile(
  path: string,
  table: TableBuilder,
  { format, spanMs, shape: known }: SurveyOptions & { readonly shape: LineShape | undefined },
): Promise<{ readonly shape: LineShape | undefined; readonly unread: number }> {
  const look = new Look(table, spanMs);
  let shape = known;
  let unread = 0;
  let isFirst = true;
  for await (const chunk of enoughToSniff(readLines(path, () => unread++))) {
    shape ??= sniff(chunk.slice(0, SNIFFED_LINES).map(textOf), format);
    if (shape === undefined) break;
    const hasHead = isFirst && shape.format === "csv" && shape.names !== "none";
    isFirst = false;
    for (let at = hasHead ? 1 : 0; at < chunk.length && !look.isOver(); at += ROWS_MIN)
      unread += addLines(table, chunk.slice(at, at + ROWS_MIN), { file: path, shape });
    if (look.isOver()) break;
  }
  return { shape, unread };
}

/** Chunks as they come, but the first one with as many lines as are looked at for the format, where there are so many. */
async function* enoughToSniff(chunks: AsyncIterable<readonly Uint8Array[]>) {
  let first: Uint8Array[] = [];
  for await (const chunk of chunks) {
    if (first.length >= SNIFFED_LINES) yield chunk;
    else {
      first = [...first, ...chunk];
      if (first.length >= SNIFFED_LINES) yield first;
    }
  }
  if (first.length > 0 && first.length < SNIFFED_LINES) yield first;
}

/** One file's share of the table: over when it spans the time that was asked for. */
class Look {
  readonly #table: TableBuilder;
  readonly #spanMs: number;
  readonly #start: number;
  #next: number;
  #isOver = false;

  constructor(table: TableBuilder, spanMs: number) {
    this.#table = table;
    this.#spanMs = spanMs;
    this.#start = table.rows;
    this.#next = table.rows + ROWS_MIN;
  }

  isOver(): boolean {
    const { rows, isFull } = this.#table;
    if (isFull) this.#isOver = true;
    if (this.#isOver || rows < this.#next) return this.#isOver;
    // It costs as much as there is, so it is done ever less often.
    this.#next = this.#start + LOOK_GROWTH * (rows - this.#start);
    this.#isOver = spanOf(this.#table, this.#start) >= this.#spanMs;
    return this.#isOver;
  }
}

function spanOf(table: TableBuilder, start: number): number {
  const times =
    guessTime(table)
      ?.timesMs.slice(start)
      .filter((ms) => ms !== undefined) ?? [];
  const [first, last] = [times[0], times.at(-1)];
  return first === undefined || last === undefined ? 0 : last - first;
}

function conclude(read: {
  readonly table: TableBuilder;
  readonly shape: LineShape;
  readonly unread: number;
}): Survey {
  const { table, shape, unread } = read;
  const timeBefore = guessTime(table);
  const timePath = timeBefore?.from.kind === "field" ? timeBefore.from.path : undefined;
  const guess = guessEntity(table, shape.format, timePath);
  const files = guess.table.origins.map(({ file }) => file);
  const isByFile = guess.template === "{device}" && new Set(files).size > 1;
  const entities = isByFile ? files.map((file) => topicFor(undefined, file)) : guess.entities;
  // Anew: other rows may be left.
  const time = guess.table === table ? timeBefore : guessTime(guess.table);
  const timesMs = time?.timesMs ?? [];
  const known = [...(guess.path === undefined ? [] : [guess.path]), ...pathsOf(time)];
  const fields = surveyFields(guess.table, known, { entities, timesMs, isTextual: shape.format === "csv" });
  const left = [...table.left];
  return {
    ...{ shape, unread, time, fields, isByFile, entity: guess },
    rows: guess.table.rows,
    spacing: measureSpacing({ timesMs, entities, files }),
    entities: new Set(entities).size,
    notes: [
      ...(isByFile
        ? ["no field names the thing that is measured: each file is taken to be about one"]
        : guess.notes),
      ...(left.length > 0
        ? [`more fields than are looked at; not among them: ${left.slice(0, 5).join(", ")} ...`]
        : []),
    ],
  };
}

function pathsOf(time: TimeGuess | undefined): readonly string[] {
  if (time === undefined) return [];
  return time.from.kind === "field" ? [time.from.path] : time.from.paths;
}

function textOf(line: Uint8Array): string {
  return Buffer.from(line).toString("utf8");
}
