// How far the data of each device has drifted, as the dashboard shows it: devices by columns, 1 is drift.

import type { Clock } from "../../shared/clock.js";
import { DATA_DRIFT_DEFAULTS } from "../../shared/drift/data/port.js";
import type { DeviceId } from "../../shared/id.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import type { Task } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import { freshForMs } from "../monitor/fresh-reports.js";
import type { ReceivedReport } from "../monitor/report-store.js";
import type { Server } from "../server.js";
import type { DriftQuery, DriftView, LiveStatus } from "./schema.js";

/** The last column of the heat map: the error of predictions. */
const ERROR_COLUMN = "(error)";
const ALMOST = 0.99;

export interface DriftSourceOptions {
  readonly task: Task;
  readonly server: Pick<Server, "reports" | "reportCounts">;
  readonly clock: Pick<Clock, "now">;
}

interface Scored {
  readonly scores: readonly (number | null)[];
  readonly worst: number;
}

type Row = Scored & { readonly device: DeviceId; readonly reportedMs: number; readonly isSilent: boolean };

/** What devices have reported of their data. A report is scored once, however often it is looked at. */
export class DriftSource {
  readonly #options: DriftSourceOptions;
  readonly #columns: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #floor: number;
  readonly #silentAfterMs: number;
  readonly #scored = new WeakMap<ReceivedReport, Scored>();

  constructor(options: DriftSourceOptions) {
    const { monitor } = options.task;
    const { columns } = planPipeline(options.task);
    this.#options = options;
    this.#columns = columns;
    this.#places = new Map(columns.map((column, place) => [column, place]));
    this.#floor = monitor?.data?.effect ?? DATA_DRIFT_DEFAULTS.floor.numbers;
    this.#silentAfterMs = monitor === undefined ? 0 : freshForMs(monitor);
  }

  /** The fleet in numbers; undefined before the first report. */
  summary(): LiveStatus["drift"] {
    const { reporting, drifting, silent, newestMs } = this.#options.server.reportCounts();
    if (newestMs === undefined) return undefined;
    return { devices: reporting, drifting, silent, updatedMs: newestMs };
  }

  /** Those that drift most first and the silent ones last; behind `after`, by id. */
  view({ limit, after }: DriftQuery): DriftView {
    const rows = this.#rows();
    const silentAfterMs = this.#silentAfterMs;
    if (rows.length === 0) return { columns: [], devices: [], total: 0, silentAfterMs };
    const wanted =
      after === undefined
        ? rows.sort(byNeed)
        : rows.filter(({ device }) => device > after).sort((a, b) => (a.device < b.device ? -1 : 1));
    const devices = wanted.slice(0, limit).map(({ device, reportedMs, isSilent, scores }) => ({
      ...{ device, reportedMs, isSilent, scores: [...scores] },
    }));
    const columns = [...this.#columns, ERROR_COLUMN];
    const next = after !== undefined && wanted.length > limit ? devices.at(-1)?.device : undefined;
    return { columns, devices, total: rows.length, silentAfterMs, ...(next === undefined ? {} : { next }) };
  }

  #rows(): Row[] {
    const { clock, server } = this.#options;
    const sinceMs = clock.now() - this.#silentAfterMs;
    return Array.from(server.reports(), ([device, received]) => {
      const { receivedMs: reportedMs } = received;
      const { scores, worst } = this.#score(received);
      return { device, reportedMs, isSilent: reportedMs < sinceMs, scores, worst };
    });
  }

  #score(received: ReceivedReport): Scored {
    const known = this.#scored.get(received);
    if (known !== undefined) return known;
    const { report } = received;
    const scores = [...this.#dataScores(report), errorScore(report)];
    const worst = scores.reduce<number>((most, score) => Math.max(most, score ?? 0), 0);
    this.#scored.set(received, { scores, worst });
    return { scores, worst };
  }

  #dataScores({ data }: DeviceReport): (number | null)[] {
    const scores = new Array<number | null>(this.#places.size).fill(null);
    for (const { column, effect, drifts } of data.columns) {
      const place = this.#places.get(column);
      if (place === undefined) continue;
      const score = effect / this.#floor;
      // A shift of that size is drift only once enough windows say so.
      scores[place] = drifts ? Math.max(1, score) : Math.min(ALMOST, score);
    }
    return scores;
  }
}

function errorScore({ concept, serving }: DeviceReport): number | null {
  if (serving === null || serving.labelled.rows === 0) return null;
  return { ok: 0, warning: 0.7, drift: 1 }[concept.status];
}

function byNeed(a: Row, b: Row): number {
  return Number(a.isSilent) - Number(b.isSilent) || b.worst - a.worst || (a.device < b.device ? -1 : 1);
}
