// Spans of time as people say them.

const STEPS = [
  { below: 120, seconds: 1, unit: "s" },
  { below: 7_200, seconds: 60, unit: "min" },
  { below: 172_800, seconds: 3_600, unit: "h" },
  { below: Infinity, seconds: 86_400, unit: "d" },
] as const;

/** Two digits or so of a span: 95_000 -> "95 s", 7_300_000 -> "2 h". A negative one is "0 s". */
export function roughTime(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const { seconds, unit } = STEPS.find(({ below }) => whole < below) ?? STEPS[3];
  return `${Math.floor(whole / seconds)} ${unit}`;
}
