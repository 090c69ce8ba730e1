// A fleet of pumps, good enough to be believed: campaigns and shifts load them, load heats the bearing with a
// lag, wear and each machine's own build show in temperature and vibration, too little pressure at the inlet makes them
// cavitate, and sensors fail as sensors do.

import type { Reading } from "../../shared/pipeline/types.js";
import { type Random, randomStream } from "../../shared/random.js";
import type { PumpChange } from "./drift.js";
import { createFaultySensor, type SensorFaults } from "./faults.js";
import { createInlet } from "./inlet.js";
import { createWander } from "./wander.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How a pump's telemetry is made. Same options, same readings. */
export interface PumpOptions {
  readonly seed: string;
  /** Which pump of the fleet, from 0. */
  readonly pump: number;
  readonly startMs: number;
  readonly days: number;
  /** What happens to this pump; undefined: nothing. */
  readonly change?: PumpChange | undefined;
}

/** What a machine is for its whole life: no two are built alike. */
interface Build {
  readonly offsetC: number;
  readonly friction: number;
  readonly wearPerDay: number;
  readonly vibrationMm: number;
}

/** Base loads of the four products a site makes. */
const PRODUCT_LOADS = [0.3, 0.5, 0.72, 0.95] as const;
/** A campaign makes one product; then the lines rotate. */
const CAMPAIGN_MS = 3 * DAY_MS;
/** How fast a bearing follows its load (first-order lag). */
const BEARING_LAG_MIN = 40;
/** The pump's resonance, as a load. */
const RESONANCE_LOAD = 0.72;

const FAULTS: Readonly<Record<"temperature" | "vibration" | "load", SensorFaults>> = {
  temperature: { gap: 0.0006, stuck: 0.0003, spike: 0.0008, lasting: 8, spikeBy: 120 },
  vibration: { gap: 0.0006, stuck: 0.0003, spike: 0.0008, lasting: 8, spikeBy: 60 },
  load: { gap: 0.0006, stuck: 0, spike: 0.0004, lasting: 5, spikeBy: 5 },
};

/**
 * One reading a minute of source `pump`: `temperature` (C), `vibration` (mm/s), `load` (1 = rated), `ambient` (C), `suction`
 * (bar at the inlet), and `cavitation`, what someone with an ear to the casing hears: 1 or 0.
 */
export function* pumpReadings({ seed, pump, startMs, days, change }: PumpOptions): Generator<Reading> {
  const stream = (purpose: string) => randomStream(seed, "pump", purpose, pump);
  const build = makeBuild(stream("build"));
  const demand = createWander(stream("demand"), { step: 0.012, pull: 0.03 });
  const weather = createWander(randomStream(seed, "pump", "weather"), { step: 0.03, pull: 0.001 });
  const inlet = createInlet(stream("inlet"));
  const noise = stream("noise");
  const sensors = {
    temperature: createFaultySensor(FAULTS.temperature, stream("temperature")),
    vibration: createFaultySensor(FAULTS.vibration, stream("vibration")),
    load: createFaultySensor(FAULTS.load, stream("load")),
  };
  const name = `pump-${pump + 1}`;
  let bearingC: number | undefined;
  for (let timeMs = startMs; timeMs < startMs + days * DAY_MS; timeMs += MINUTE_MS) {
    const load = clamp(plannedLoad(pump, timeMs, startMs) + demand(), 0.05, 1.1);
    const ambientC = 21 + 5 * Math.sin((2 * Math.PI * (timeMs / HOUR_MS - 9)) / 24) + weather();
    const wear = (build.wearPerDay * (timeMs - startMs)) / DAY_MS;
    const steadyC = ambientC + build.offsetC + build.friction * (6 + 34 * load ** 2.2) * (1 + wear);
    bearingC = bearingC === undefined ? steadyC : bearingC + (steadyC - bearingC) / BEARING_LAG_MIN;
    const { suction, cavitation } = inlet(
      load,
      change !== undefined && timeMs >= change.atMs ? change.kind : undefined,
    );
    const vibration = build.vibrationMm * vibrationOf(load) * (1 + 2 * wear);
    yield {
      source: "pump",
      entity: name,
      timeMs,
      values: {
        temperature: sensors.temperature(bearingC + 0.15 * noise.normal()),
        vibration: sensors.vibration(vibration * (1 + 0.05 * noise.normal())),
        load: sensors.load(load + 0.01 * noise.normal()),
        ambient: ambientC + 0.1 * noise.normal(),
        suction,
        cavitation,
      },
    };
  }
}

function makeBuild(random: Random): Build {
  return {
    offsetC: 1 * random.normal(),
    friction: 1 + 0.04 * random.normal(),
    wearPerDay: 0.002 + 0.004 * random.uniform(),
    vibrationMm: 2 * (1 + 0.1 * random.normal()),
  };
}

// Two day shifts and a thin night, less on Sundays; the product decides the level, and neighbouring lines make
// different products.
function plannedLoad(pump: number, timeMs: number, startMs: number): number {
  const campaign = Math.floor((timeMs - startMs) / CAMPAIGN_MS);
  const product = PRODUCT_LOADS[(pump + campaign) % PRODUCT_LOADS.length]!;
  const base = isSunday(timeMs) ? product * 0.75 : product;
  const hour = (timeMs / HOUR_MS) % 24;
  if (hour < 6) return base * 0.55;
  if (hour >= 12 && hour < 12.5) return base * 0.35;
  return hour < 18 ? base : base * 0.85;
}

// 1 January 1970 was a Thursday.
function isSunday(timeMs: number): boolean {
  return Math.floor(timeMs / DAY_MS) % 7 === 3;
}

// Flow noise grows with load; near the resonance the whole frame joins in.
function vibrationOf(load: number): number {
  return 0.5 + load ** 1.5 + 0.7 * Math.exp(-(((load - RESONANCE_LOAD) / 0.07) ** 2));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
