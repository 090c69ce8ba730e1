// `simulate`: where a simulation's data comes from and how it is dealt out. Outside every hash.

import { z } from "zod";
import type { GivenTestSpec, SimulateSpec } from "../task.js";
import { csv, idx } from "./dataset.js";
import { name } from "./names.js";

const test = z
  .strictObject({
    files: z.string().min(1).max(512).describe("Files like the dataset's own (IDX: the images)."),
    labels: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe("IDX: the label file. CSV: one number per entity, the label of its last row."),
    take: z.enum(["all", "last"]).prefault("all").describe("Score every row, or only each entity's last."),
  })
  .transform(({ files, labels, take }): GivenTestSpec => ({ files, labels, take }));

/** Where a simulation's data comes from. */
export const simulate = z
  .strictObject({
    dataset: z
      .union([csv, idx], { error: "expected {csv: files, ...} or {idx: {images, labels}, ...}" })
      .optional()
      .describe("Files below the data folder."),
    generator: name.optional().describe("A built-in generator of telemetry."),
    with: z.record(z.string(), z.json()).optional().describe("The generator's own parameters."),
    devices: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe("How many devices. Default: one per file or entity; 10 for a generator."),
    test: test.optional().describe("A test set of its own, for rows.split.test: given."),
  })
  .refine((value) => (value.dataset === undefined) !== (value.generator === undefined), {
    error: 'expected exactly one of "dataset" or "generator"',
  })
  .refine((value) => value.with === undefined || value.generator !== undefined, {
    error: "belongs to a generator",
    path: ["with"],
  })
  .transform((value): SimulateSpec => {
    const { dataset, generator, devices, test } = value;
    if (dataset !== undefined) return { ...dataset, devices, test };
    const source = { kind: "generator", name: generator ?? "", params: value.with ?? {} } as const;
    return { source, partition: { kind: "entity" }, devices: devices ?? 10, test };
  })
  .describe("Only for simulations: changes no hash.");
