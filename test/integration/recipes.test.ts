// The recipes of examples/recipes, from the bytes that sensors send to examples with their labels.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../device/ingest/decoders/registry.js";
import { createEntityReader } from "../../device/ingest/entity.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Example } from "../../shared/pipeline/types.js";
import { parseTask } from "../../shared/task/parse.js";
import { deviceId } from "../support/device-kit.js";
import { type Collected, collect } from "../support/pipeline.js";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 5);

/** One message of a sensor; `atMs` is event time since the start. */
interface Sent {
  readonly source: string;
  readonly topic: string;
  readonly atMs: number;
  readonly payload: Uint8Array;
}

function json(source: string, topic: string, atMs: number, value: unknown): Sent {
  return { source, topic, atMs, payload: Buffer.from(JSON.stringify(value)) };
}

/** Everything through the recipe's decoders and its pipeline, in event time. */
async function cook(recipe: string, messages: readonly Sent[]): Promise<Collected> {
  const { task } = parseTask(
    readFileSync(new URL(`../../examples/recipes/${recipe}.yaml`, import.meta.url), "utf8"),
  );
  const { sources, labelSource } = layOut(task);
  const decoders = new Map(
    await Promise.all(
      [...sources, ...(labelSource === undefined ? [] : [labelSource])].map(async ({ name, fields }) => {
        const source = task.sources[name]!;
        const entityOf = createEntityReader(source.entity ?? task.entity, deviceId("pi"));
        return [name, await createDecoder({ name, source, fields, entityOf })] as const;
      }),
    ),
  );
  const collected = collect(task);
  for (const { source, topic, atMs, payload } of messages.toSorted((a, b) => a.atMs - b.atMs)) {
    const decoded = decoders.get(source)!({ topic, payload, arrivalMs: START_MS + atMs });
    expect(decoded.faults).toEqual([]);
    for (const reading of decoded.readings) collected.pipeline.push(reading, START_MS + atMs);
  }
  collected.pipeline.flush();
  return collected;
}

const columnOf = ({ pipeline }: Collected, name: string) => {
  const at = pipeline.columns.indexOf(name);
  expect(at).toBeGreaterThanOrEqual(0);
  return ({ features }: Example) => features[at]!;
};

/** A block of 1,024 16-bit samples behind its time. */
function vibration(atMs: number, amplitude: number): Sent {
  const payload = Buffer.alloc(8 + 2 * 1_024);
  payload.writeBigUInt64LE(BigInt(START_MS + atMs), 0);
  for (let i = 0; i < 1_024; i++)
    payload.writeInt16LE(
      Math.round((amplitude * Math.sin((2 * Math.PI * 50 * i) / 3_200)) / 0.000061),
      8 + 2 * i,
    );
  return { source: "vib", topic: "plant/p1/vib", atMs, payload };
}

describe("predictive maintenance", () => {
  const DAYS = 24;
  const FAILS_MS = 15 * DAY_MS;
  const messages: Sent[] = [];
  for (let atMs = 0; atMs < DAYS * DAY_MS; atMs += 20 * MINUTE_MS) {
    messages.push(vibration(atMs, atMs < FAILS_MS - 2 * DAY_MS ? 0.5 : 1));
  }
  for (let atMs = 0; atMs < DAYS * DAY_MS; atMs += MINUTE_MS) {
    const ts = (START_MS + atMs) / SECOND_MS;
    messages.push(json("temp", "plant/p1/temp", atMs, { ts, c: 40 + Math.sin(atMs / HOUR_MS) }));
  }
  const failed = { ts: (START_MS + FAILS_MS) / SECOND_MS, kind: "failure" };
  messages.push(json("failures", "plant/p1/failure", FAILS_MS, failed));

  test("a row is 1 within three days of a failure, 0 only when those have passed, and none in the repair tail", async () => {
    const cooked = await cook("predictive-maintenance", messages);
    const { examples, counters } = cooked;
    expect(examples.length).toBeGreaterThan(300);
    for (const { timeMs, label } of examples) {
      const atMs = timeMs - START_MS;
      expect(label).toBe(atMs < FAILS_MS && atMs >= FAILS_MS - 3 * DAY_MS ? 1 : 0);
      // Twelve hours after the failure are left out, and of the last three days nothing is known yet.
      expect(atMs < FAILS_MS || atMs >= FAILS_MS + 12 * HOUR_MS).toBe(true);
      expect(atMs).toBeLessThanOrEqual((DAYS - 3) * DAY_MS);
    }
    expect(new Set(examples.map(({ label }) => label))).toEqual(new Set([0, 1]));
    expect(counters.get("labels.excluded")).toBeGreaterThan(0);
    expect(counters.get("labels.unripe")).toBeGreaterThan(0);
    const rms = examples.map(columnOf(cooked, "a.rms"));
    expect(rms[0]).toBeCloseTo(0.5 / Math.SQRT2, 3);
    expect(rms.at(-1)).toBeCloseTo(1 / Math.SQRT2, 3);
    expect(examples.map(columnOf(cooked, "a.peak_hz")).every((hz) => hz === 50)).toBe(true);
  });
});

describe("energy forecast", () => {
  // 4 kW by day, 1 kW by night; the register is read every five minutes.
  const kwAt = (atMs: number) => (Math.floor(atMs / HOUR_MS) % 24 >= 8 ? 4 : 1);
  const messages: Sent[] = [];
  const DAYS = 5;
  let kwh = 1_000;
  for (let atMs = 0, seq = 0; atMs < DAYS * DAY_MS; atMs += 5 * MINUTE_MS, seq++) {
    const reading = { ts: (START_MS + atMs) / SECOND_MS, kwh, seq };
    messages.push(json("meter", "site/north/meter", atMs, reading));
    kwh += kwAt(atMs) / 12;
  }
  for (let atMs = 0; atMs < DAYS * DAY_MS; atMs += 6 * HOUR_MS) {
    const issued = (START_MS + atMs) / SECOND_MS;
    // What each run says of the sun is the number of the run: which one was used can be seen.
    const hours = Array.from({ length: 48 }, (_, hour) => ({
      issued,
      valid: issued + 3_600 * hour,
      temp: hour,
      sun: atMs / (6 * HOUR_MS),
    }));
    messages.push(json("weather", "weather/forecast", atMs, hours));
  }

  test("a register becomes a load, its label the load a day later, its weather what was known by then", async () => {
    const cooked = await cook("energy-forecast", messages);
    const { examples, counters } = cooked;
    expect(examples.length).toBeGreaterThan(200);
    expect(counters.get("checks.counter-reset")).toBe(0);
    const kw = columnOf(cooked, "kw");
    const sun = columnOf(cooked, "sun");
    for (const example of examples) {
      const atMs = example.timeMs - START_MS;
      // A rate over five minutes, averaged over a quarter of an hour: steps are blurred by as much.
      const isSteady = kwAt(atMs - 15 * MINUTE_MS) === kwAt(atMs + 15 * MINUTE_MS);
      if (isSteady) expect(kw(example)).toBeCloseTo(kwAt(atMs), 4);
      if (isSteady) expect(example.label).toBeCloseTo(kwAt(atMs), 4);
      // Never a run that was issued after the row.
      expect(sun(example)).toBe(Math.floor(atMs / (6 * HOUR_MS)));
    }
  });
});

describe("activity", () => {
  const WALK = 1;
  const shake = (atMs: number) => (atMs < MINUTE_MS ? WALK : 0);
  const messages: Sent[] = [];
  for (let atMs = 0; atMs < 2 * MINUTE_MS; atMs += 500) {
    const payload = Buffer.alloc(8 + 4 * 3 * 25);
    payload.writeBigUInt64LE(BigInt(START_MS + atMs), 0);
    for (let i = 0; i < 25; i++) {
      const x = shake(atMs) * Math.sin((2 * Math.PI * 2 * (atMs + i * 20)) / SECOND_MS);
      payload.writeFloatLE(x, 8 + 12 * i);
      payload.writeFloatLE(-x, 8 + 12 * i + 4);
      payload.writeFloatLE(9.81, 8 + 12 * i + 8);
    }
    messages.push({ source: "imu", topic: "wear/pi/imu", atMs, payload });
  }
  const said = (from: number, to: number, activity: string) =>
    json("diary", "wear/pi/label", 2 * MINUTE_MS, {
      from: START_MS / SECOND_MS + from,
      to: START_MS / SECOND_MS + to,
      activity,
    });
  messages.push(said(0, 60, "walk"), said(60, 110, "sit"));

  test("frames take the label that the wearer gives them afterwards, where one covers them", async () => {
    const cooked = await cook("activity", messages);
    const { examples } = cooked;
    expect(examples.length).toBeGreaterThan(60);
    const energy = columnOf(cooked, "mag.std");
    for (const example of examples) {
      const atMs = example.timeMs - START_MS;
      // Frames of 2.56 s: four fifths of one that straddles the change may be of either.
      if (atMs < 57_000) expect([example.label, energy(example) > 0.01]).toEqual([0, true]);
      if (atMs >= MINUTE_MS) expect([example.label, energy(example) < 0.01]).toEqual([3, true]);
      expect(atMs).toBeLessThan(110_000);
    }
    expect(examples.map(columnOf(cooked, "corr_ax_ay"))[0]).toBeCloseTo(-1, 5);
  });
});
