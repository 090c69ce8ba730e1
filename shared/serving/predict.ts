// POST /predict: for whoever has values by their names, or only the name of what is measured.

import { didYouMean } from "../task/suggest.js";
import { describeFirst, parseJson } from "./body.js";
import { answered, failed, malformed, type Outcome } from "./problem.js";
import {
  type PredictedRow,
  type PredictRequest,
  type PredictResponse,
  predictRequestSchema,
} from "./schema.js";
import type { Scores } from "./scores.js";
import type { OnlineRow, ServedModel } from "./served-model.js";

/** An error is to be read. */
const COLUMNS_SHOWN = 20;

/** Rows to predict, and whose they are. */
export interface PredictRows {
  readonly rows: number;
  readonly values: Float32Array;
  /** There where the newest row of an entity is predicted. */
  readonly online: Pick<OnlineRow, "id" | "entity" | "timeMs"> | undefined;
}

/** Reads the body of a request. */
export function readPredictBody(body: Uint8Array): Outcome<PredictRequest> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = predictRequestSchema.safeParse(json.value);
  if (parsed.success) return answered(parsed.data);
  return malformed(
    `expected {"features": {column: number}} or {"entity": name}: ${describeUnion(parsed.error)}`,
  );
}

/** The rows of a request: all of a task's columns by name, or the newest of an entity. */
export function readPredict(request: PredictRequest, served: ServedModel): Outcome<PredictRows> {
  if ("entity" in request) return newestRow(request.entity, served);
  const rows = Array.isArray(request.features) ? request.features : [request.features];
  const values = new Float32Array(rows.length * served.columns.length);
  for (const [row, features] of rows.entries()) {
    const problem = fillRow(values, row, { features, columns: served.columns });
    if (problem === undefined) continue;
    return malformed(Array.isArray(request.features) ? `features.${row}: ${problem}` : problem);
  }
  return answered({ rows: rows.length, values, online: undefined });
}

/** The answer to a request. */
export function writePredict(
  request: PredictRequest,
  made: {
    readonly task: string;
    readonly version: number;
    readonly rows: PredictRows;
    readonly scores: Scores;
    readonly nowMs: number;
  },
): Outcome<PredictResponse> {
  const { task, version, rows, scores, nowMs } = made;
  const bad = scores.value.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    return failed({ code: 500, reason: "not-finite", message: `the prediction of row ${bad} is not finite` });
  }
  if (rows.online !== undefined) {
    const { id, entity, timeMs } = rows.online;
    const of = { id, entity, timeMs, ageMs: Math.max(0, nowMs - timeMs) };
    return answered({ task, version, ...of, ...rowOf(scores, 0) });
  }
  const id = "id" in request && request.id !== undefined ? { id: request.id } : {};
  if ("features" in request && Array.isArray(request.features)) {
    const predictions = Array.from({ length: rows.rows }, (_, row) => rowOf(scores, row));
    return answered({ task, version, ...id, predictions });
  }
  return answered({ task, version, ...id, ...rowOf(scores, 0) });
}

function newestRow(entity: string, served: ServedModel): Outcome<PredictRows> {
  if (served.online === undefined) {
    const advice = `send features, or ask a device that runs ${served.name}`;
    return malformed(`there are no rows of entities here: ${advice}`);
  }
  const row = served.online(entity);
  if (row === undefined) {
    const message = `no row of entity "${entity}" has come since this device started, or others have taken its place`;
    return failed({ code: 404, reason: "unknown-entity", message });
  }
  return answered({ rows: 1, values: row.features, online: row });
}

function fillRow(
  values: Float32Array,
  row: number,
  {
    features,
    columns,
  }: { readonly features: Readonly<Record<string, number>>; readonly columns: readonly string[] },
): string | undefined {
  const unknown = Object.keys(features).find((name) => !columns.includes(name));
  if (unknown !== undefined) {
    return `there is no column "${unknown}"${didYouMean(unknown, columns)}; the columns are ${list(columns)}`;
  }
  for (const [at, name] of columns.entries()) {
    const value = Object.hasOwn(features, name) ? features[name] : undefined;
    if (value === undefined) return `column "${name}" is missing; a row has ${columns.length} columns`;
    const place = row * columns.length + at;
    values[place] = value;
    if (!Number.isFinite(values[place])) return `column "${name}" is ${value}, too large for FP32`;
  }
  return undefined;
}

/** The first of many. */
function list(columns: readonly string[]): string {
  const shown = columns.slice(0, COLUMNS_SHOWN).join(", ");
  return columns.length > COLUMNS_SHOWN ? `${shown} and ${columns.length - COLUMNS_SHOWN} more` : shown;
}

function rowOf(scores: Scores, row: number): PredictedRow {
  const { value, probability, probabilities, anomaly } = scores;
  const classes = probabilities === undefined ? 0 : probabilities.length / value.length;
  return {
    value: value[row]!,
    probability: probability?.[row] ?? null,
    ...(probabilities === undefined
      ? {}
      : { probabilities: Array.from(probabilities.subarray(row * classes, (row + 1) * classes)) }),
    ...(anomaly === undefined ? {} : { anomaly: anomaly[row]! }),
  };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union, what came nearest: the complaint that is about the deepest place. */
function describeUnion({ issues }: { readonly issues: readonly Issue[] }): string {
  return describeFirst(issues.flatMap(leaves).toSorted((a, b) => b.path.length - a.path.length));
}

/** What is wrong inside of a union, whose own complaint says nothing; paths from the root. */
function leaves(issue: Issue): readonly Issue[] {
  if (!("errors" in issue && Array.isArray(issue.errors))) return [issue];
  const branches: readonly (readonly Issue[])[] = issue.errors;
  return branches.flat().flatMap((inner) => leaves({ ...inner, path: [...issue.path, ...inner.path] }));
}
