// What every process of ours says of itself, whatever it does.

import type { Exposition } from "./exposition.js";

type ProcessMetric =
  | "headwater_build_info"
  | "headwater_events_total"
  | "process_resident_memory_bytes"
  | "process_cpu_seconds_total"
  | "process_start_time_seconds";

export interface ProcessFacts {
  readonly version: string;
  readonly startedMs: number;
  /** As `Counters` gives them. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Tells memory, processor time, and every counter as an event: "readings.late" is `{part="readings",reason="late"}`. */
export function tellProcess(
  page: Pick<Exposition<ProcessMetric>, "set">,
  { version, startedMs, counters }: ProcessFacts,
): void {
  page.set("headwater_build_info", 1, { version, node: process.versions.node });
  for (const [name, count] of Object.entries(counters)) {
    const [part = name, ...reason] = name.split(".");
    page.set("headwater_events_total", count, { part, reason: reason.join(".") });
  }
  const { user, system } = process.cpuUsage();
  page.set("process_resident_memory_bytes", process.memoryUsage.rss());
  page.set("process_cpu_seconds_total", (user + system) / 1e6);
  page.set("process_start_time_seconds", startedMs / 1000);
}
