// A device's data as records, one by one in bounded memory. Tables are read in pages, so that a reader never holds back
// the writer for long.

import { unreachable } from "../../shared/assert.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import type { Reading, Value } from "../../shared/pipeline/types.js";
import type { Cell, Database, Row } from "../../shared/storage/port.js";
import { floatsOf } from "../examples/store.js";
import type { Prediction } from "../fact.js";
import { predictionOf } from "../infer/predictions.js";
import type { SourceMessage } from "../ingest/sources/port.js";
import { messageOfRow } from "../log/raw-log.js";
import { type FolderView, taskOf } from "./folder.js";
import { createReadingDecoder, fieldsOf } from "./readings.js";

/** What can be exported. `raw`: messages as they came; `readings`: what the device's task reads in them. */
export const exports = ["readings", "raw", "examples", "predictions", "quarantine"] as const;
export type ExportKind = (typeof exports)[number];

/** Which of it; what is undefined restricts nothing. */
export interface ExportFilter {
  readonly source: string | undefined;
  readonly entity: string | undefined;
  /** By event time; of raw messages by arrival. From this on... */
  readonly fromMs: number | undefined;
  /** ...to before this. */
  readonly toMs: number | undefined;
}

export type ExportValue = string | number | boolean | null | readonly number[];

/** Records of one shape, oldest first as they were stored. */
export interface ExportTable {
  readonly columns: readonly string[];
  /** One value per column. */
  readonly records: Iterable<readonly ExportValue[]>;
}

const PAGE_ROWS = 500;

/** The table of that name. Rejects with `data-missing` where it needs a task and there is none. */
export async function exportTable(
  view: FolderView,
  kind: ExportKind,
  filter: ExportFilter,
): Promise<ExportTable> {
  switch (kind) {
    case "raw":
      return exportRaw(view, filter);
    case "readings":
      return exportReadings(view, filter);
    case "examples":
      return exportExamples(view, filter);
    case "predictions":
      return exportPredictions(view, filter);
    case "quarantine":
      return exportQuarantine(view, filter);
    default:
      return unreachable(kind);
  }
}

/** The filters that go with each kind. */
export function filtersOf(kind: ExportKind): readonly ("source" | "entity")[] {
  if (kind === "raw") return ["source"];
  return kind === "examples" || kind === "predictions" ? ["entity"] : ["source", "entity"];
}

function exportRaw({ log }: FolderView, filter: ExportFilter): ExportTable {
  const rows = log === undefined ? [] : pages(log, "message", "seq", filter, "arrival_ms");
  return {
    columns: ["seq", "arrival", "source", "topic", "retained", "encoding", "payload"],
    records: map(rows, (row) => {
      const { seq, arrivalMs, source, topic, retained = false, payload } = messageOfRow(row);
      return [seq, isoTime(arrivalMs), source, topic, retained, ...textOf(payload)];
    }),
  };
}

async function exportReadings(view: FolderView, filter: ExportFilter): Promise<ExportTable> {
  const { log } = view;
  const { loaded, device } = taskOf(view);
  const fields = fieldsOf(loaded.task);
  const decode = await createReadingDecoder(loaded.task, device);
  // Event time is in the messages; when they arrived says nothing certain about it.
  const rows =
    log === undefined ? [] : pages(log, "message", "seq", { ...filter, fromMs: undefined, toMs: undefined });
  return {
    columns: ["time", "source", "entity", ...fields],
    records: flatMap(rows, (row) =>
      decode(messageOfRow(row))
        .filter((reading) => isWanted(reading, filter))
        .map(({ timeMs, source, entity, values }) => [
          isoTime(timeMs),
          source,
          entity,
          ...fields.map((field) => shown(Object.hasOwn(values, field) ? values[field]! : null)),
        ]),
    ),
  };
}

function exportExamples(view: FolderView, filter: ExportFilter): ExportTable {
  const { columns } = planPipeline(taskOf(view).loaded.task);
  return {
    columns: ["time", "entity", "split", "label", "persistence", ...columns],
    records: map(pages(view.telemetry, "example", "id", filter), (row) => [
      isoTime(Number(row.time_ms)),
      ...[String(row.entity), String(row.split), Number(row.label), numberOf(row.persistence!)],
      ...floatsOf(row.features as Uint8Array), // declared BLOB NOT NULL in a STRICT table
    ]),
  };
}

function exportPredictions({ telemetry }: FolderView, filter: ExportFilter): ExportTable {
  return {
    columns: predictionColumns,
    records: map(pages(telemetry, "prediction", "id", filter), (row) => predictionRecord(predictionOf(row))),
  };
}

/** Of a prediction as a record. */
export const predictionColumns = ["time", "entity", "id", "version", "value", "probability", "anomaly"];

/** One value per column. */
export function predictionRecord(prediction: Prediction): readonly ExportValue[] {
  const { timeMs, entity, id, version, value, probability, anomaly } = prediction;
  return [isoTime(timeMs), entity, id, version, value, probability, anomaly];
}

/** The messages of the raw log, in the order they came. */
export function* loggedMessages({ log }: FolderView): Generator<SourceMessage> {
  const all = { source: undefined, entity: undefined, fromMs: undefined, toMs: undefined };
  if (log !== undefined) for (const row of pages(log, "message", "seq", all)) yield messageOfRow(row);
}

function exportQuarantine({ telemetry }: FolderView, filter: ExportFilter): ExportTable {
  return {
    columns: ["time", "source", "entity", "reason", "field", "value", "encoding", "raw"],
    records: map(pages(telemetry, "quarantine", "id", filter), (row) => [
      isoTime(Number(row.time_ms)),
      ...[
        String(row.source),
        String(row.entity),
        String(row.reason),
        cellText(row.field),
        numberOf(row.value!),
      ],
      ...(row.raw instanceof Uint8Array ? textOf(row.raw) : [null, null]),
    ]),
  };
}

function* pages(
  database: Database,
  table: "message" | "example" | "prediction" | "quarantine",
  key: "seq" | "id",
  { source, entity, fromMs, toMs }: ExportFilter,
  time = "time_ms",
): Generator<Row> {
  const wanted: [string, Cell | undefined][] = [
    ["source = ?", source],
    ["entity = ?", table === "message" ? undefined : entity],
    [`${time} >= ?`, fromMs],
    [`${time} < ?`, toMs],
  ];
  const given = wanted.flatMap(([condition, cell]) => (cell === undefined ? [] : [{ condition, cell }]));
  const where = [`${key} > ?`, ...given.map(({ condition }) => condition)].join(" AND ");
  const sql = `SELECT * FROM ${table} WHERE ${where} ORDER BY ${key} LIMIT ${PAGE_ROWS}`;
  for (let last = 0; ; ) {
    const rows = database.all(sql, last, ...given.map(({ cell }) => cell));
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    last = Number(rows.at(-1)![key]);
  }
}

function isWanted({ entity, timeMs }: Reading, filter: ExportFilter): boolean {
  return (
    (filter.entity === undefined || entity === filter.entity) &&
    timeMs >= (filter.fromMs ?? -Infinity) &&
    timeMs < (filter.toMs ?? Infinity)
  );
}

/** Text where it is text, else base64. */
function textOf(bytes: Uint8Array): ["utf8" | "base64", string] {
  try {
    return ["utf8", new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)];
  } catch {
    return ["base64", Buffer.from(bytes).toString("base64")];
  }
}

function shown(value: Value): ExportValue {
  return value instanceof Float32Array ? [...value] : value;
}

function numberOf(cell: Cell): number | null {
  return cell === null ? null : Number(cell);
}

function cellText(cell: Cell | undefined): string | null {
  return cell === null || cell === undefined ? null : String(cell);
}

// Years that a Date cannot hold stay numbers.
function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function* map<In, Out>(items: Iterable<In>, of: (item: In) => Out): Generator<Out> {
  for (const item of items) yield of(item);
}

function* flatMap<In, Out>(items: Iterable<In>, of: (item: In) => readonly Out[]): Generator<Out> {
  for (const item of items) yield* of(item);
}
