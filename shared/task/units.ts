// Quantities as people write them: "10m", "64KiB", "80%", "50Hz". A bare number is never one of them.

import { z } from "zod";

const DURATION_UNITS_MS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

const BYTE_UNITS = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const;

const FREQUENCY_UNITS_HZ = { Hz: 1, kHz: 1e3, MHz: 1e6 } as const;

const DURATION = /^(\d{1,15}(?:\.\d{1,6})?) ?(ms|s|m|h|d|w)$/;
const BYTES = /^(\d{1,15}(?:\.\d{1,6})?) ?(B|kB|MB|GB|KiB|MiB|GiB)$/;
const FREQUENCY = /^(\d{1,15}(?:\.\d{1,6})?) ?(Hz|kHz|MHz)$/;
const SHARE = /^(\d{1,15}(?:\.\d{1,6})?) ?%$/;

const YEAR_MS = 365 * DURATION_UNITS_MS.d;

/** Inclusive bounds of a quantity, in its base unit: ms, bytes, Hz, or a fraction. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A duration within bounds: "1h" in the task, milliseconds after parsing. */
export function durationWithin({ min, max }: Bounds) {
  const expected = "expected a duration with its unit (ms, s, m, h, d, w), such as 30s, 10m or 1h";
  return z
    .string({ error: expected })
    .regex(DURATION, { error: expected })
    .transform((text) => Math.round(scaled(DURATION, DURATION_UNITS_MS, text)))
    .refine((ms) => ms >= min && ms <= max, {
      error: `expected a duration from ${formatDuration(min)} to ${formatDuration(max)}`,
    });
}

/** A size within bounds: "64KiB" in the task, bytes after parsing. */
export function bytesWithin({ min, max }: Bounds) {
  const expected = "expected a size with its unit (B, kB, MB, GB, KiB, MiB, GiB), such as 64KiB or 100MB";
  return z
    .string({ error: expected })
    .regex(BYTES, { error: expected })
    .transform((text) => Math.round(scaled(BYTES, BYTE_UNITS, text)))
    .refine((bytes) => bytes >= min && bytes <= max, {
      error: `expected a size from ${formatBytes(min)} to ${formatBytes(max)}`,
    });
}

/** A share within bounds: "10%" in the task, the fraction 0.1 after parsing. */
export function shareWithin({ min, max }: Bounds) {
  const expected = "expected a percentage with its sign, such as 10%";
  return z
    .string({ error: expected })
    .regex(SHARE, { error: expected })
    .transform((text) => Number(SHARE.exec(text)?.[1]) / 100)
    .refine((fraction) => fraction >= min && fraction <= max, {
      error: `expected a percentage from ${formatShare(min)} to ${formatShare(max)}`,
    });
}

/** A frequency within bounds: "50Hz" in the task, 50 after parsing. */
function frequencyWithin({ min, max }: Bounds) {
  const expected = "expected a frequency with its unit (Hz, kHz, MHz), such as 50Hz or 3.2kHz";
  return z
    .string({ error: expected })
    .regex(FREQUENCY, { error: expected })
    .transform((text) => scaled(FREQUENCY, FREQUENCY_UNITS_HZ, text))
    .refine((hz) => hz >= min && hz <= max, {
      error: `expected a frequency from ${formatFrequency(min)} to ${formatFrequency(max)}`,
    });
}

/** A duration of 1 ms to 100 years, in ms. */
export const durationMs = durationWithin({ min: 1, max: 100 * YEAR_MS });

/** A size of 1 byte to 1 TB, in bytes. */
export const byteSize = bytesWithin({ min: 1, max: 1e12 });

/** A frequency of 0.001 Hz to 10 MHz, in Hz. */
export const frequencyHz = frequencyWithin({ min: 0.001, max: 1e7 });

/** A share of 0 % to 100 %, as a fraction. */
export const share = shareWithin({ min: 0, max: 1 });

/** `ms` in the largest unit that needs no fraction: 5400000 -> "90m". */
export function formatDuration(ms: number): string {
  const units = Object.entries(DURATION_UNITS_MS).reverse();
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** `bytes` in the largest binary unit that leaves at least 1, to three digits: 806400 -> "788KiB". */
export function formatBytes(bytes: number): string {
  const units = [
    ["GiB", BYTE_UNITS.GiB],
    ["MiB", BYTE_UNITS.MiB],
    ["KiB", BYTE_UNITS.KiB],
  ] as const;
  const [unit, size] = units.find(([, size]) => bytes >= size) ?? (["B", 1] as const);
  return `${Number((bytes / size).toPrecision(3))}${unit}`;
}

/** `hz` in the largest unit that leaves at least 1, to six digits: 3200 -> "3.2kHz". */
export function formatFrequency(hz: number): string {
  const units = Object.entries(FREQUENCY_UNITS_HZ).reverse();
  const [unit, size] = units.find(([, size]) => hz >= size) ?? ["Hz", 1];
  return `${Number((hz / size).toPrecision(6))}${unit}`;
}

function formatShare(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(6))}%`;
}

function scaled(pattern: RegExp, units: Readonly<Record<string, number>>, text: string): number {
  const [, amount, unit] = pattern.exec(text) ?? [];
  return Number(amount) * (units[unit ?? ""] ?? Number.NaN);
}
