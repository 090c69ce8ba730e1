// What this machine is doing, from /proc, /sys and the operating system. Counters become rates over the time between
// two readings; what cannot be read, or has no rate yet, is missing.

import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import { join } from "node:path";
import type { HostFieldName } from "../../../../shared/task/host-fields.js";
import {
  type CpuTicks,
  type DiskCounters,
  type NetworkCounters,
  parseCpu,
  parseDisks,
  parseMemory,
  parseNetwork,
} from "./counters.js";

/** One value of each field. */
export type HostValues = Readonly<Record<HostFieldName, number | null>>;

/** What the operating system says where there is no /proc. */
export interface System {
  cpus(): readonly { readonly speed: number; readonly times: Readonly<Record<string, number>> }[];
  loadavg(): readonly number[];
  totalmem(): number;
  freemem(): number;
  uptime(): number;
}

export interface HostMeterOptions {
  /** A folder of the file system to measure. */
  readonly folder: string;
  /** Where /proc and /sys are; the machine's own if absent. */
  readonly root?: string;
  readonly system?: System;
}

interface Counted {
  readonly atMs: number;
  readonly cpu: CpuTicks | undefined;
  readonly disks: DiskCounters | undefined;
  readonly network: NetworkCounters | undefined;
}

/** Measures the machine; the first reading has no rates. */
export class HostMeter {
  readonly #folder: string;
  readonly #root: string;
  readonly #system: System;
  #before: Counted | undefined;

  constructor({
    folder,
    root = "/",
    system = { cpus, loadavg, totalmem, freemem, uptime },
  }: HostMeterOptions) {
    this.#folder = folder;
    this.#root = root;
    this.#system = system;
  }

  /** Never throws. */
  read(nowMs: number): HostValues {
    const now = this.#count(nowMs);
    const before = this.#before;
    this.#before = now;
    const [load1m, load5m, load15m] = this.#system.loadavg();
    return {
      ...cpuShares(before?.cpu, now.cpu),
      cpu_mhz: this.#cpuMhz(),
      load_1m: load1m ?? null,
      load_5m: load5m ?? null,
      load_15m: load15m ?? null,
      ...this.#memory(),
      ...this.#space(),
      ...diskRates(before, now),
      ...networkRates(before, now),
      temperature_c: this.#temperature(),
      uptime_s: this.#system.uptime(),
    };
  }

  #count(atMs: number): Counted {
    return {
      atMs,
      cpu: parseText(this.#text("proc/stat"), parseCpu) ?? this.#cpuOfSystem(),
      disks: parseText(this.#text("proc/diskstats"), parseDisks),
      network: parseText(this.#text("proc/net/dev"), parseNetwork),
    };
  }

  #cpuOfSystem(): CpuTicks | undefined {
    const all = this.#system.cpus();
    if (all.length === 0) return undefined;
    const sum = (names: readonly string[]) =>
      all.reduce((ticks, { times }) => ticks + names.reduce((own, name) => own + (times[name] ?? 0), 0), 0);
    const busy = sum(["user", "nice", "sys", "irq"]);
    return { busy, iowait: 0, total: busy + sum(["idle"]) };
  }

  #cpuMhz(): number | null {
    const folder = "sys/devices/system/cpu";
    const khz = this.#names(folder)
      .filter((name) => /^cpu\d+$/.test(name))
      .flatMap((name) => this.#number(`${folder}/${name}/cpufreq/scaling_cur_freq`) ?? []);
    if (khz.length > 0) return Math.max(...khz) / 1000;
    const mhz = Math.max(0, ...this.#system.cpus().map(({ speed }) => speed));
    return mhz === 0 ? null : mhz;
  }

  #memory() {
    const { totalmem, freemem } = this.#system;
    const total = totalmem();
    const { available, swapTotal, swapFree, ...memory } = parseText(
      this.#text("proc/meminfo"),
      parseMemory,
    ) ?? {
      ...{ total, available: freemem() },
      ...{ swapTotal: undefined, swapFree: 0 },
    };
    return {
      memory_used_share: share(memory.total - available, memory.total),
      memory_available_bytes: available,
      swap_used_share: swapTotal === 0 ? 0 : share((swapTotal ?? 0) - swapFree, swapTotal ?? 0),
    };
  }

  #space() {
    try {
      const { bsize, blocks, bfree, bavail } = statfsSync(this.#folder);
      return {
        // As df(1): what is kept for root is neither used nor to be had.
        disk_used_share: share(blocks - bfree, blocks - bfree + bavail),
        disk_free_bytes: bavail * bsize,
      };
    } catch {
      return { disk_used_share: null, disk_free_bytes: null };
    }
  }

  #temperature(): number | null {
    const folder = "sys/class/thermal";
    const millis = this.#names(folder)
      .filter((name) => name.startsWith("thermal_zone"))
      .flatMap((name) => this.#number(`${folder}/${name}/temp`) ?? []);
    return millis.length === 0 ? null : Math.max(...millis) / 1000;
  }

  #number(path: string): number | undefined {
    const text = this.#text(path)?.trim();
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  }

  #text(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), "utf8");
    } catch {
      return undefined;
    }
  }

  #names(path: string): readonly string[] {
    try {
      return readdirSync(join(this.#root, path));
    } catch {
      return [];
    }
  }
}

function parseText<Parsed>(text: string | undefined, parse: (text: string) => Parsed | undefined) {
  return text === undefined ? undefined : parse(text);
}

function cpuShares(before: CpuTicks | undefined, now: CpuTicks | undefined) {
  if (before === undefined || now === undefined) return { cpu_share: null, cpu_iowait_share: null };
  const total = now.total - before.total;
  return {
    cpu_share: share(now.busy - before.busy, total),
    cpu_iowait_share: share(now.iowait - before.iowait, total),
  };
}

function diskRates(before: Counted | undefined, now: Counted) {
  const seconds = secondsBetween(before, now);
  const [was, is] = [before?.disks, now.disks];
  const busyMs = [...(is?.busyMs ?? [])].map(([disk, ms]) => ms - (was?.busyMs.get(disk) ?? ms));
  return {
    disk_read_bytes_per_s: rate(was?.readBytes, is?.readBytes, seconds),
    disk_write_bytes_per_s: rate(was?.writtenBytes, is?.writtenBytes, seconds),
    disk_busy_share:
      was === undefined || is === undefined ? null : share(Math.max(...busyMs), seconds * 1000),
  };
}

function networkRates(before: Counted | undefined, now: Counted) {
  const seconds = secondsBetween(before, now);
  const [was, is] = [before?.network, now.network];
  return {
    net_in_bytes_per_s: rate(was?.inBytes, is?.inBytes, seconds),
    net_out_bytes_per_s: rate(was?.outBytes, is?.outBytes, seconds),
  };
}

function secondsBetween(before: Counted | undefined, now: Counted): number {
  return before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
}

/** A counter that has fallen was reset, and a clock that stood still or was set back measures nothing. */
function rate(before: number | undefined, now: number | undefined, seconds: number): number | null {
  if (before === undefined || now === undefined || !(now >= before) || seconds <= 0) return null;
  return (now - before) / seconds;
}

/** Between 0 and 1, for counters of the kernel do not all step at the same time. */
function share(part: number, whole: number): number | null {
  return part >= 0 && whole > 0 ? Math.min(1, part / whole) : null;
}
