// What this process takes of its machine.

import type { ProcessUsage } from "../monitor/usage.js";

/** Reads it from the operating system. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { rssBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 };
}
