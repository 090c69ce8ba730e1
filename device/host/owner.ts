// The owner's word on training: not in quiet hours, not when the machine is busy or short of memory.

import { availableParallelism, freemem, loadavg } from "node:os";
import type { Clock } from "../../shared/clock.js";
import { formatBytes } from "../../shared/task/units.js";

/** Minutes of the day, local time; from above to: over midnight. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** How the machine is doing. */
export interface Machine {
  /** Load average of the last minute per core. */
  readonly load: () => number;
  /** Bytes. */
  readonly freeMemory: () => number;
}

/** This machine. */
export const thisMachine: Machine = {
  load: () => (loadavg()[0] ?? 0) / availableParallelism(),
  freeMemory: freemem,
};

/** What the owner asks for. */
export interface OwnerRules {
  readonly maxLoad: number | undefined;
  readonly minFreeMemory: number | undefined;
  readonly quiet: QuietHours | undefined;
}

const QUIET = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/** "22:00-06:00"; undefined when the text is nothing like it. */
export function parseQuietHours(text: string): QuietHours | undefined {
  const [, fromHour, fromMinute, toHour, toMinute] = QUIET.exec(text)?.map(Number) ?? [];
  if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined)
    return undefined;
  return { fromMinute: 60 * fromHour + fromMinute, toMinute: 60 * toHour + toMinute };
}

/** Why this is no time to train, or undefined when it is. */
export function refusalOf(
  rules: OwnerRules,
  clock: Clock,
  machine: Machine = thisMachine,
): string | undefined {
  const { quiet, maxLoad, minFreeMemory } = rules;
  if (quiet !== undefined && isWithin(quiet, minuteOf(clock.now()))) return "quiet hours";
  const load = machine.load();
  if (maxLoad !== undefined && load > maxLoad) return `load ${load.toFixed(2)} per core above ${maxLoad}`;
  const free = machine.freeMemory();
  if (minFreeMemory !== undefined && free < minFreeMemory) {
    return `${formatBytes(free)} of memory free, below ${formatBytes(minFreeMemory)}`;
  }
  return undefined;
}

function isWithin({ fromMinute, toMinute }: QuietHours, minute: number): boolean {
  if (fromMinute <= toMinute) return minute >= fromMinute && minute < toMinute;
  return minute >= fromMinute || minute < toMinute;
}

function minuteOf(nowMs: number): number {
  const local = new Date(nowMs);
  return 60 * local.getHours() + local.getMinutes();
}
