import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { HostMeter, type System } from "../../../../../../device/ingest/sources/host/meter.js";
import { hostFields } from "../../../../../../shared/task/host-fields.js";
import { tempFolder } from "../../../../../support/temp-folder.js";

const temp = tempFolder();

const system: System = {
  cpus: () => [{ speed: 1500, times: { user: 100, nice: 0, sys: 50, idle: 850, irq: 0 } }],
  loadavg: () => [0.5, 0.25, 0.125],
  totalmem: () => 1000,
  freemem: () => 250,
  uptime: () => 60,
};

/** A meter of a machine that has these files. */
function machine(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(temp.path, "root-"));
  const write = (written: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(written)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write(files);
  return { meter: new HostMeter({ folder: root, root, system }), write };
}

function stat({ user, idle, iowait }: { user: number; idle: number; iowait: number }): string {
  return `cpu  ${user} 0 10 ${idle} ${iowait} 0 0 0 5 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n`;
}

function disks(sda: number, sdb: number): string {
  return [
    `   8       0 sda 9 9 ${sda} 9 9 9 ${2 * sda} 9 0 ${sda} 9`,
    "   8       1 sda1 9 9 9999 9 9 9 9999 9 0 9999 9",
    `   8      16 sdb 9 9 ${sdb} 9 9 9 0 9 0 ${sdb} 9`,
    "   7       0 loop0 9 9 9999 9 9 9 9999 9 0 9999 9\n",
  ].join("\n");
}

function network(bytesIn: number, bytesOut: number): string {
  return `Inter-|   Receive                     |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0
  eth0: ${bytesIn} 1 0 0 0 0 0 0 ${bytesOut} 1 0 0 0 0 0 0
wlan0:${bytesIn} 1 0 0 0 0 0 0 ${bytesOut} 1 0 0 0 0 0 0
`;
}

test("counters become rates over the time between two readings", () => {
  const { meter, write } = machine({
    "proc/stat": stat({ user: 100, idle: 1000, iowait: 10 }),
    "proc/diskstats": disks(1000, 0),
    "proc/net/dev": network(1000, 500),
  });
  meter.read(0);
  write({
    "proc/stat": stat({ user: 150, idle: 1040, iowait: 20 }),
    "proc/diskstats": disks(1500, 200),
    "proc/net/dev": network(2000, 800),
  });
  expect(meter.read(2000)).toMatchObject({
    cpu_share: 0.5,
    cpu_iowait_share: 0.1,
    // Sectors of 512 bytes: 700 read and 1000 written in two seconds.
    disk_read_bytes_per_s: 179_200,
    disk_write_bytes_per_s: 256_000,
    disk_busy_share: 0.25,
    net_in_bytes_per_s: 1000,
    net_out_bytes_per_s: 300,
  });
});

test("there is no rate at first, after a counter was reset, and when the clock went back", () => {
  const { meter, write } = machine({ "proc/net/dev": network(1000, 1000) });
  expect(meter.read(1000).net_in_bytes_per_s).toBeNull();
  write({ "proc/net/dev": network(10, 2000) });
  expect(meter.read(2000)).toMatchObject({ net_in_bytes_per_s: null, net_out_bytes_per_s: 2000 });
  write({ "proc/net/dev": network(20, 3000) });
  expect(meter.read(1500)).toMatchObject({ net_in_bytes_per_s: null, net_out_bytes_per_s: null });
});

test("memory, swap, temperature and clock are as they are", () => {
  const { meter } = machine({
    "proc/meminfo":
      "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     400 kB\nSwapTotal:        200 kB\nSwapFree:         150 kB\n",
    "sys/class/thermal/thermal_zone0/temp": "41000\n",
    "sys/class/thermal/thermal_zone1/temp": "52250\n",
    "sys/class/thermal/cooling_device0/temp": "99000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "600000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1800000\n",
  });
  const { disk_used_share, disk_free_bytes, ...values } = meter.read(0);
  expect(values).toMatchObject({
    memory_used_share: 0.6,
    memory_available_bytes: 409_600,
    swap_used_share: 0.25,
    temperature_c: 52.25,
    cpu_mhz: 1800,
    load_1m: 0.5,
    load_5m: 0.25,
    load_15m: 0.125,
    uptime_s: 60,
  });
  expect(disk_used_share).toBeGreaterThan(0);
  expect(disk_used_share).toBeLessThanOrEqual(1);
  expect(disk_free_bytes).toBeGreaterThan(0);
});

test("where there is no /proc, the operating system is asked, and the rest is missing", () => {
  const { meter } = machine({});
  expect(meter.read(0)).toMatchObject({
    cpu_share: null,
    cpu_mhz: 1500,
    memory_used_share: 0.75,
    memory_available_bytes: 250,
    swap_used_share: null,
    disk_read_bytes_per_s: null,
    disk_busy_share: null,
    net_in_bytes_per_s: null,
    temperature_c: null,
  });
});

test("nonsense in a file is missing, never NaN", () => {
  const files = ["proc/stat", "proc/meminfo", "proc/diskstats", "proc/net/dev"];
  const nonsense = ["", "cpu  x y z w\n", "eth0: x\n", "MemTotal: much kB\n", " 8 0 sda a b c\n"];
  for (const text of nonsense) {
    const { meter } = machine(Object.fromEntries(files.map((file) => [file, text])));
    meter.read(0);
    for (const [field, value] of Object.entries(meter.read(1000))) {
      expect(value === null || Number.isFinite(value), `${field} of ${JSON.stringify(text)}`).toBe(true);
    }
  }
});

test("this machine has every field that the docs name, and no other", () => {
  const meter = new HostMeter({ folder: temp.path });
  meter.read(0);
  const values = meter.read(1000);
  expect(Object.keys(values).sort()).toEqual(Object.keys(hostFields).sort());
  expect(values.memory_used_share).toBeGreaterThan(0);
  expect(values.uptime_s).toBeGreaterThan(0);
});
