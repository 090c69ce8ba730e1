// Event time in a message, to milliseconds since the Unix epoch.

/** ISO 8601 with its zone: without one it could be any hour of the day. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/** The time, or undefined when the value is none in this unit. */
export function readTime(value: unknown, unit: "s" | "ms" | "iso"): number | undefined {
  if (unit === "iso") {
    if (typeof value !== "string" || !ISO.test(value)) return undefined;
    return wholeMs(Date.parse(value));
  }
  return typeof value === "number" ? wholeMs(unit === "s" ? value * 1000 : value) : undefined;
}

function wholeMs(ms: number): number | undefined {
  const whole = Math.round(ms);
  return Number.isSafeInteger(whole) ? whole : undefined;
}
