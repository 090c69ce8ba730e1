// Generators of live telemetry by name: `simulate: { generator: pumps, with: {...} }`.

import { z } from "zod";
import { HeadwaterError } from "../../shared/error.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { didYouMean } from "../../shared/task/suggest.js";
import type { JsonObject } from "../../shared/task/task.js";
import { type DriftParams, driftParams, isChanged } from "./drift.js";
import { pumpReadings } from "./pumps.js";

/** How generated telemetry arrives: what is older than `fromMs` is there at the start, the rest streams in. */
export interface Pace {
  readonly fromMs: number;
  /** Event time that passes per virtual time. */
  readonly speed: number;
}

/** A change of the world that the generator knows of. */
export interface KnownDrift {
  /** Event time. */
  readonly atMs: number;
  readonly kind: DriftParams["kind"];
  /** Whether it befalls this one, counted from 0, of so many devices. */
  befalls(index: number, devices: number): boolean;
}

/** Telemetry of a fleet, with the generator's parameters settled. */
export interface GeneratedFleet {
  readonly pace: Pace;
  /** Undefined: nothing changes. */
  readonly drift: KnownDrift | undefined;
  /** What a device is called, and what it reads, in order of event time; devices count from 0. */
  device(index: number): { readonly name: string; readonly readings: Iterable<Reading> };
}

/** What generators go by. */
interface GeneratorOptions {
  readonly seed: string;
  readonly devices: number;
}

type Generator = (params: JsonObject, options: GeneratorOptions) => GeneratedFleet;

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
  /** From a known time on the pumps are not what they were; left out: they stay as they are. */
  drift: driftParams.optional(),
});

const generators: Readonly<Record<string, Generator>> = {
  pumps(params, { seed, devices }) {
    const { from, days, history, hoursPerSecond, drift } = parseParams("pumps", pumpParams, params);
    const startMs = Date.parse(`${from}T00:00:00Z`);
    const known = drift && knowDrift(drift, startMs);
    return {
      pace: { fromMs: startMs + history * DAY_MS, speed: hoursPerSecond * HOURS_PER_SECOND },
      drift: known,
      device: (pump) => ({
        name: `pump-${pump + 1}`,
        readings: pumpReadings({
          ...{ seed, pump, startMs, days },
          change: known?.befalls(pump, devices) ? known : undefined,
        }),
      }),
    };
  },
};

function knowDrift(drift: DriftParams, startMs: number): KnownDrift {
  return {
    atMs: startMs + drift.at,
    kind: drift.kind,
    befalls: (index, devices) => isChanged(drift, index, devices),
  };
}

/**
 * The named generator's fleet; same params, seed and number of devices, same telemetry. Throws `task-invalid` with a
 * suggestion.
 */
export function generateFleet(name: string, params: JsonObject, options: GeneratorOptions): GeneratedFleet {
  if (Object.hasOwn(generators, name)) return generators[name]!(params, options);
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
