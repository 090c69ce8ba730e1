// What a device has gathered, counted.

import type { Split } from "../../shared/pipeline/types.js";
import type { Row } from "../../shared/storage/port.js";
import type { FolderView } from "./folder.js";

/** How many, and from when to when; times are null where there are none. */
export interface Extent {
  readonly count: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
}

/** A device's data. */
export interface Catalogue {
  /** Of the raw log, by arrival. */
  readonly messages: readonly (Extent & { readonly source: string; readonly bytes: number })[];
  /** By event time. */
  readonly examples: readonly (Extent & Readonly<Record<Split, number>> & { readonly entity: string })[];
  readonly predictions: readonly (Extent & { readonly entity: string })[];
  readonly quarantine: readonly (Extent & { readonly source: string; readonly reason: string })[];
}

/** Counts what is there: one pass over each table. */
export function listFolder({ telemetry, log }: FolderView): Catalogue {
  const messages = log?.all(
    `SELECT source, count(*) AS count, min(arrival_ms) AS first, max(arrival_ms) AS last, sum(length(payload)) AS bytes
     FROM message GROUP BY source ORDER BY source`,
  );
  const examples = telemetry.all(
    `SELECT entity, ${EXTENT}, sum(split = 'train') AS train, sum(split = 'validation') AS validation,
       sum(split = 'test') AS test
     FROM example GROUP BY entity ORDER BY entity`,
  );
  const predictions = telemetry.all(
    `SELECT entity, ${EXTENT} FROM prediction GROUP BY entity ORDER BY entity`,
  );
  const quarantine = telemetry.all(
    `SELECT source, reason, ${EXTENT} FROM quarantine GROUP BY source, reason ORDER BY source, reason`,
  );
  return {
    messages: (messages ?? []).map((row) => ({
      source: String(row.source),
      ...extentOf(row),
      bytes: Number(row.bytes),
    })),
    examples: examples.map((row) => ({
      entity: String(row.entity),
      ...extentOf(row),
      train: Number(row.train),
      validation: Number(row.validation),
      test: Number(row.test),
    })),
    predictions: predictions.map((row) => ({ entity: String(row.entity), ...extentOf(row) })),
    quarantine: quarantine.map((row) => ({
      source: String(row.source),
      reason: String(row.reason),
      ...extentOf(row),
    })),
  };
}

const EXTENT = `count(*) AS count, min(time_ms) AS first, max(time_ms) AS last`;

function extentOf({ count, first, last }: Row): Extent {
  return {
    count: Number(count),
    firstMs: first === null ? null : Number(first),
    lastMs: last === null ? null : Number(last),
  };
}
