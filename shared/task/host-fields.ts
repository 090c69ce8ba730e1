// What a device can tell of itself: the fields of a `host` source, the same on every machine. What one cannot measure is
// missing in its readings.

/** One field. */
export interface HostField {
  readonly unit: string;
  readonly doc: string;
}

/** All of them by name. */
export const hostFields = {
  cpu_share: { unit: "0-1", doc: "Time that all processors together were busy." },
  cpu_iowait_share: { unit: "0-1", doc: "Time that they idled because a disk was waited for." },
  cpu_mhz: { unit: "MHz", doc: "Clock of the fastest processor now." },
  load_1m: { unit: "processes", doc: "Mean number of processes that run or wait to, over a minute." },
  load_5m: { unit: "processes", doc: "The same over five minutes." },
  load_15m: { unit: "processes", doc: "The same over fifteen minutes." },
  memory_used_share: { unit: "0-1", doc: "Memory that could not be had without swapping." },
  memory_available_bytes: { unit: "bytes", doc: "Memory that could." },
  swap_used_share: { unit: "0-1", doc: "Swap in use; 0 without any." },
  disk_used_share: { unit: "0-1", doc: "Of the file system that the data folder is on." },
  disk_free_bytes: { unit: "bytes", doc: "What programs may still write there." },
  disk_read_bytes_per_s: { unit: "bytes/s", doc: "Read from all disks." },
  disk_write_bytes_per_s: { unit: "bytes/s", doc: "Written to all disks." },
  disk_busy_share: { unit: "0-1", doc: "Time that the busiest disk was at work." },
  net_in_bytes_per_s: {
    unit: "bytes/s",
    doc: "Received by all network interfaces but loopback and virtual ones.",
  },
  net_out_bytes_per_s: { unit: "bytes/s", doc: "Sent by them." },
  temperature_c: { unit: "°C", doc: "Of the hottest thermal zone." },
  uptime_s: { unit: "s", doc: "Since the machine has started." },
} as const satisfies Readonly<Record<string, HostField>>;

/** The name of one. */
export type HostFieldName = keyof typeof hostFields;

/** Where a reading's time is, in Unix seconds: the default of every source. */
export const HOST_TIME_FIELD = "ts";
