// `simulate.dataset`: public files as readings, dealt to devices.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { CsvTimeSpec, PartitionSpec, SimulatedSource } from "../task.js";
import { durationMs } from "../units.js";
import { oneKey } from "./choice.js";
import { instant } from "./instant.js";
import { named } from "./names.js";

/** A dataset and how it is dealt out. */
export interface Dataset {
  readonly source: SimulatedSource;
  readonly partition: PartitionSpec;
}

const FILES_RULE = "expected a file name pattern below the data folder, such as PRSA_Data_*.csv.gz";
const files = z
  .string({ error: FILES_RULE })
  .min(1)
  .max(512)
  .refine((text) => !text.startsWith("/") && !text.split("/").includes(".."), { error: FILES_RULE });
const column = z.string().min(1).max(128);

const dealing = oneKey({
  dirichlet: z
    .number()
    .gt(0)
    .max(1e6)
    .describe("Label skew: Dirichlet(alpha) over devices (Hsu et al. 2019)."),
  shards: z
    .int()
    .min(1)
    .max(1_000)
    .describe("Sorted by label, so many shards per device (McMahan et al. 2017)."),
});

const device = z
  .union([z.enum(["file", "entity", "iid"]), dealing], {
    error: 'expected "file", "entity", "iid", {dirichlet: 0.5} or {shards: 2}',
  })
  .transform((value): PartitionSpec => {
    if (typeof value === "string") return { kind: value };
    switch (value.kind) {
      case "dirichlet":
        return { kind: "dirichlet", alpha: value.value };
      case "shards":
        return { kind: "shards", perDevice: value.value };
      default:
        return unreachable(value);
    }
  });

const time = z
  .union(
    [
      z
        .array(column)
        .min(1)
        .max(6)
        .transform((columns): CsvTimeSpec => ({ kind: "calendar", columns })),
      z
        .strictObject({ column, unit: z.enum(["s", "ms", "iso"]) })
        .transform((value): CsvTimeSpec => ({ kind: "column", ...value })),
      z
        .strictObject({ index: column.optional(), step: durationMs })
        .transform(({ index, step }): CsvTimeSpec => ({ kind: "index", column: index, stepMs: step })),
    ],
    { error: "expected [year, month, day, hour], {column, unit} or {index, step}" },
  )
  .describe("Event time: calendar columns (UTC), one column, or the row's number times a step.");

const missing = z
  .union(
    [
      z
        .string()
        .max(64)
        .transform((text) => [text]),
      z.array(z.string().max(64)).max(16),
    ],
    {
      error: "expected a text such as NA, or a list of texts",
    },
  )
  .prefault(["", "NA"])
  .describe("Cells that mean: no value.");

/** CSV files, plain or gzipped. */
export const csv = z
  .strictObject({
    csv: files.describe("File name pattern; * matches within a name, .gz is unpacked."),
    device: device.prefault("file").describe("What one device holds."),
    time,
    from: instant.optional().describe("Rows before this date (UTC) are left out. Default: the file's first."),
    until: instant
      .optional()
      .describe("Rows at or after this date (UTC) are left out. Default: to the file's end."),
    missing,
    skip: z
      .int()
      .min(0)
      .max(10_000)
      .prefault(0)
      .describe("Lines left out at the top of every file, before its header line, if it has one."),
    columns: z
      .array(column)
      .min(1)
      .max(4_096)
      .optional()
      .describe("Column names of files without a header line, or with a wrong one that is skipped."),
    delimiter: z.enum([",", ";", " ", "\t"]).prefault(","),
    fields: named(column, 4_096, fieldName)
      .prefault({})
      .describe("Field -> column, where they differ by more than upper and lower case."),
    entity: column.optional().describe("Column that names the entity. Default: one entity per file."),
    derive: named(z.literal("rowsLeft"), 16, fieldName)
      .prefault({})
      .describe("Fields made from the data: rowsLeft counts down to the entity's last row."),
  })
  .refine(({ from = -Infinity, until = Infinity }) => from < until, {
    error: 'expected a date after "from"',
    path: ["until"],
  })
  .transform(
    ({ csv, device, derive, columns, entity, from, until, ...rest }): Dataset => ({
      source: {
        kind: "csv",
        files: csv,
        columns,
        entity,
        fromMs: from,
        untilMs: until,
        ...rest,
        derive: Object.fromEntries(Object.entries(derive).map(([field, kind]) => [field, { kind }])),
      },
      partition: device,
    }),
  );

/** IDX files: images as a vector field, labels as a number. */
export const idx = z
  .strictObject({
    idx: z.strictObject({ images: files, labels: files }),
    device: device.prefault("iid").describe("What one device holds."),
    fields: z
      .strictObject({ images: fieldName.prefault("pixels"), labels: fieldName.prefault("digit") })
      .prefault({})
      .describe("The fields they become."),
    divide: z.number().gt(0).max(1e12).prefault(1).describe("Pixels are divided by this."),
  })
  .transform(
    ({ idx, device, fields, divide }): Dataset => ({
      source: {
        kind: "idx",
        images: idx.images,
        labels: idx.labels,
        imageField: fields.images,
        labelField: fields.labels,
        divide,
      },
      partition: device,
    }),
  );
