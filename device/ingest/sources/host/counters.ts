// The text of /proc, as numbers (proc(5)). What is not as expected is missing, not an error: kernels differ.

/** Ticks of all processors since the start: busy, waiting for a disk, and all together. */
export interface CpuTicks {
  readonly busy: number;
  readonly iowait: number;
  readonly total: number;
}

/** Bytes since the start, of all disks; and how long each was at work. */
export interface DiskCounters {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly busyMs: ReadonlyMap<string, number>;
}

/** Bytes since the start, of all interfaces. */
export interface NetworkCounters {
  readonly inBytes: number;
  readonly outBytes: number;
}

/** In bytes. */
export interface Memory {
  readonly total: number;
  readonly available: number;
  readonly swapTotal: number;
  readonly swapFree: number;
}

/** /proc/stat, whose first line sums all processors. */
export function parseCpu(text: string): CpuTicks | undefined {
  const line = /^cpu +(.+)$/m.exec(text)?.[1];
  const ticks = line === undefined ? [] : numbersOf(line);
  const [user, nice, system, idle, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  if (user === undefined || nice === undefined || system === undefined || idle === undefined)
    return undefined;
  // The time of guests is in that of users already.
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, iowait, total: busy + idle + iowait };
}

/** /proc/meminfo, which counts in KiB. */
export function parseMemory(text: string): Memory | undefined {
  const read = (name: string) => {
    const kib = new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const total = read("MemTotal");
  const available = read("MemAvailable") ?? read("MemFree");
  if (total === undefined || available === undefined) return undefined;
  return { total, available, swapTotal: read("SwapTotal") ?? 0, swapFree: read("SwapFree") ?? 0 };
}

/** Whole disks: their partitions, and what is built on them, would count the same bytes again. */
const DISK = /^(?:[shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;
const SECTOR_BYTES = 512;

/** /proc/diskstats (Documentation/admin-guide/iostats.rst of the kernel). */
export function parseDisks(text: string): DiskCounters | undefined {
  let readBytes = 0;
  let writtenBytes = 0;
  const busyMs = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, , name = "", ...counts] = line.trim().split(/ +/);
    if (!DISK.test(name)) continue;
    const [, , read = 0, , , , written = 0, , , busy = 0] = counts.map(Number);
    readBytes += read * SECTOR_BYTES;
    writtenBytes += written * SECTOR_BYTES;
    busyMs.set(name, busy);
  }
  return busyMs.size === 0 ? undefined : { readBytes, writtenBytes, busyMs };
}

/** Loopback, bridges and tunnels: what goes through them goes through another one too, or nowhere. */
const VIRTUAL = /^(?:lo|docker|veth|br-|virbr|ifb|dummy|tun|tap|wg|tailscale|cni|flannel|vxlan)/;

/** /proc/net/dev. */
export function parseNetwork(text: string): NetworkCounters | undefined {
  let inBytes = 0;
  let outBytes = 0;
  let isAny = false;
  for (const [, name = "", counts = ""] of text.matchAll(/^ *([^\s:]+): *(.+)$/gm)) {
    if (VIRTUAL.test(name)) continue;
    const numbers = numbersOf(counts);
    inBytes += numbers[0] ?? 0;
    outBytes += numbers[8] ?? 0;
    isAny = true;
  }
  return isAny ? { inBytes, outBytes } : undefined;
}

function numbersOf(text: string): readonly number[] {
  return text.trim().split(/\s+/).map(Number);
}
