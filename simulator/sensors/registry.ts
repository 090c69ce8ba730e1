// Generators of live telemetry by name: `simulate: { generator: pumps, with: {...} }`.

import { z } from "zod";
import { HeadwaterError } from "../../shared/error.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { didYouMean } from "../../shared/task/suggest.js";
import type { JsonObject } from "../../shared/task/task.js";
import { pumpReadings } from "./pumps.js";

/** Makes one device's telemetry; the same for the same seed and device number. */
export interface Generator {
  /** What the device is called. */
  deviceName(device: number): string;
  readings(options: {
    readonly seed: string;
    readonly device: number;
    readonly params: JsonObject;
  }): Iterable<Reading>;
}

const pumpParams = z.strictObject({
  /** First day of telemetry. */
  from: z.iso.date().prefault("2026-01-01"),
  days: z.number().int().min(1).max(365).prefault(12),
});

const generators: Readonly<Record<string, Generator>> = {
  pumps: {
    deviceName: (device) => `pump-${device + 1}`,
    *readings({ seed, device, params }) {
      const { from, days } = parseParams("pumps", pumpParams, params);
      yield* pumpReadings({ seed, pump: device, startMs: Date.parse(`${from}T00:00:00Z`), days });
    },
  },
};

/** The named generator. Throws `task-invalid` with a suggestion. */
export function findGenerator(name: string): Generator {
  if (Object.hasOwn(generators, name)) return generators[name]!;
  const names = Object.keys(generators);
  const hint = didYouMean(name, names) || `; there is ${names.join(", ")}`;
  throw new HeadwaterError("task-invalid", `simulate.generator: unknown generator "${name}"${hint}`);
}

function parseParams<Params>(name: string, schema: z.ZodType<Params>, params: JsonObject): Params {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${["simulate.with", ...path].join(".")}: ${message}`,
  );
  throw new HeadwaterError("task-invalid", `generator ${name}: ${problems.join("; ")}`);
}
