// What the device's process takes of its machine, as a port: simulations have no machine.

/** What it takes by now. */
export interface ProcessUsage {
  readonly rssBytes: number;
  /** Time on processors since the process started, all threads together. */
  readonly cpuMs: number;
}

/** Nothing is known. */
export const unknownUsage: ProcessUsage = { rssBytes: 0, cpuMs: 0 };
