// Numbers and remarks for people.

import { formatDuration } from "../../shared/task/units.js";

/** To the second, or to the minute, where that is close enough. */
export function about(ms: number): string {
  const unit = ms >= 7_200_000 ? 60_000 : ms >= 10_000 ? 1_000 : 1;
  return formatDuration(Math.round(ms / unit) * unit);
}

/** A line of remark, whatever the text holds. */
export function comment(text: string): string {
  return `# ${text.replace(/[\r\n]+/g, " ")}`;
}

/** A share to three digits. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** A value to six digits. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}
