// Numbers and times as people read them.

/** Between a number and its unit: no line ends there. */
const NO_BREAK = "\u00a0";

const STEPS = [
  { below: 1_000, unitMs: 1, unit: "ms" },
  { below: 120_000, unitMs: 1_000, unit: "s" },
  { below: 7_200_000, unitMs: 60_000, unit: "min" },
  { below: 172_800_000, unitMs: 3_600_000, unit: "h" },
  { below: Number.POSITIVE_INFINITY, unitMs: 86_400_000, unit: "d" },
] as const;

/** Two digits or so of a span: 95_000 -> "95 s". A negative one is "0 ms". */
export function span(ms: number): string {
  const { unitMs, unit } = STEPS.find(({ below }) => ms < below) ?? STEPS[4];
  const value = Math.max(0, ms) / unitMs;
  return `${value < 10 && unitMs > 1 ? value.toFixed(1).replace(".0", "") : Math.floor(value)}${NO_BREAK}${unit}`;
}

/** How long ago something was. */
export function ago(ms: number | undefined, nowMs: number): string {
  if (ms === undefined) return "never";
  return nowMs - ms < 2_000 ? "just now" : `${span(nowMs - ms)} ago`;
}

/** Binary units, three digits. */
export function bytes(count: number | undefined): string {
  if (count === undefined) return "–";
  const step = count < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** step;
  const text = step === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return `${text}${NO_BREAK}${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
}

/** Four significant digits; a dash for what is not known. */
export function number(value: number | undefined): string {
  if (value === undefined) return "–";
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
}

/** Significant digits, all of them: what is measured stands in columns. A dash for what is not known. */
export function digits(value: number | undefined, count = 4): string {
  if (value === undefined) return "–";
  return Math.abs(value) >= 10 ** count ? number(Math.round(value)) : value.toPrecision(count);
}

/** A duration of microseconds. */
export function micros(us: number | undefined): string {
  if (us === undefined) return "–";
  return us < 1_000 ? `${digits(us, 3)}${NO_BREAK}µs` : `${digits(us / 1_000, 3)}${NO_BREAK}ms`;
}

/** A moment, to the second, where the reader is; by 24 hours, as logs are. */
export function moment(ms: number | undefined): string {
  return ms === undefined
    ? "–"
    : new Date(ms).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" });
}

/** "1 device", "2 devices". */
export function many(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
