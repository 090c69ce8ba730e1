// Generators of live telemetry by name: `simulate: { generator: pumps, with: {...} }`.

import { z } from "zod";
import { HeadwaterError } from "../../shared/error.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { didYouMean } from "../../shared/task/suggest.js";
import type { JsonObject } from "../../shared/task/task.js";
import { pumpReadings } from "./pumps.js";

/** How generated telemetry arrives: what is older than `fromMs` is there at the start, the rest streams in. */
export interface Pace {
  readonly fromMs: number;
  /** Event time that passes per virtual time. */
  readonly speed: number;
}

/** Telemetry of a fleet, with the generator's parameters settled. */
export interface GeneratedFleet {
  readonly pace: Pace;
  /** What a device is called, and what it reads, in order of event time; devices count from 0. */
  device(index: number): { readonly name: string; readonly readings: Iterable<Reading> };
}

type Generator = (params: JsonObject, seed: string) => GeneratedFleet;

const DAY_MS = 86_400_000;
const HOURS_PER_SECOND = 3600;

const pumpParams = z.strictObject({
  /** First day of telemetry. */
  from: z.iso.date().prefault("2026-01-01"),
  days: z.number().int().min(1).max(365).prefault(12),
  /** Days that the devices hold when the federation starts. */
  history: z.number().min(0).max(365).prefault(4),
  /** How fast the rest streams in: hours of telemetry per virtual second. */
  hoursPerSecond: z.number().min(0.001).max(1000).prefault(6),
});

const generators: Readonly<Record<string, Generator>> = {
  pumps(params, seed) {
    const { from, days, history, hoursPerSecond } = parseParams("pumps", pumpParams, params);
    const startMs = Date.parse(`${from}T00:00:00Z`);
    return {
      pace: { fromMs: startMs + history * DAY_MS, speed: hoursPerSecond * HOURS_PER_SECOND },
      device: (pump) => ({ name: `pump-${pump + 1}`, readings: pumpReadings({ seed, pump, startMs, days }) }),
    };
  },
};

/** The named generator's fleet; same params and seed, same telemetry. Throws `task-invalid` with a suggestion. */
export function generateFleet(name: string, params: JsonObject, seed: string): GeneratedFleet {
  if (Object.hasOwn(generators, name)) return generators[name]!(params, seed);
  const names = Object.keys(generators);
  const hint = didYouMean(name, names) ?? `; there is ${names.join(", ")}`;
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
