// From `simulate` to what each device will read: files or a generator, dealt out, in order of event time.

import { basename } from "node:path";
import { unreachable } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { PartitionSpec, SimulateSpec, Task } from "../../shared/task/task.js";
import { deal, dealGroups } from "../partition.js";
import { findGenerator } from "../sensors/registry.js";
import { type CsvSource, readCsv } from "./csv.js";
import { findFiles } from "./files.js";
import { readGivenTest } from "./given-test.js";
import { type IdxSource, readIdx } from "./idx.js";

/** What a simulation feeds to its devices. */
export interface Feed {
  /** Readings of each device in order of event time. */
  readonly devices: ReadonlyMap<DeviceId, readonly Reading[]>;
  /** A test set of its own, for no device to see. */
  readonly test: readonly Reading[] | undefined;
}

/** Where to find data and how to deal it. */
export interface LoadOptions {
  readonly folder: string | undefined;
  /** How many devices; default: what the task or the data says. */
  readonly devices: number | undefined;
  readonly seed: string;
}

/** Loads the task's data. Throws `task-invalid`, `data-missing` or `data-invalid`. */
export function loadFeed(task: Task, options: LoadOptions): Feed {
  const { simulate } = task;
  if (simulate === undefined) {
    throw new HeadwaterError(
      "task-invalid",
      `${task.task} has no "simulate" section: it does not say where data is`,
    );
  }
  const devices = options.devices ?? simulate.devices;
  const groups = loadGroups(task, simulate, { ...options, devices });
  if (groups.size === 0)
    throw new HeadwaterError("data-invalid", "the data gives no device anything to read");
  const inOrder = [...groups].map(([name, readings]) => [toDeviceId(name), byTime(readings)] as const);
  return { devices: new Map(inOrder), test: readGivenTest(task, simulate, options.folder) };
}

type Groups = ReadonlyMap<string, readonly Reading[]>;

function loadGroups(task: Task, simulate: SimulateSpec, options: LoadOptions): Groups {
  const { source, partition } = simulate;
  switch (source.kind) {
    case "generator": {
      const generator = findGenerator(source.name);
      const devices = Array.from({ length: options.devices ?? 1 }, (_, device) => device);
      const { seed } = options;
      return new Map(
        devices.map((device) => [
          generator.deviceName(device),
          [...generator.readings({ seed, device, params: source.params })],
        ]),
      );
    }
    case "csv":
      return dealReadings(task, readCsvGroups(task, source, options.folder), { partition, ...options });
    case "idx":
      return dealReadings(task, new Map([["images", readImages(task, source, options.folder)]]), {
        partition,
        ...options,
      });
    default:
      return unreachable(source);
  }
}

// One group per file; entities within are told apart later.
function readCsvGroups(task: Task, source: CsvSource, folder: string | undefined): Groups {
  const { source: sourceName, fields } = layOut(task);
  const names = fields.map(({ name }) => name);
  return new Map(
    findFiles(folder, source.files).map((path) => {
      const entity = stem(path);
      return [entity, readCsv(path, { source, sourceName, fields: names, entity })];
    }),
  );
}

function readImages(task: Task, source: IdxSource, folder: string | undefined): readonly Reading[] {
  const [images] = findFiles(folder, source.images);
  const [labels] = findFiles(folder, source.labels);
  const { source: sourceName } = layOut(task);
  return readIdx({ source, sourceName, images: images!, labels: labels!, entity: "images" });
}

interface DealOptions extends LoadOptions {
  readonly partition: PartitionSpec;
}

function dealReadings(task: Task, files: Groups, { partition, devices, seed }: DealOptions): Groups {
  if (partition.kind === "file") return toDevices([...files], devices);
  const all = [...files.values()].flat();
  if (partition.kind === "entity") return toDevices([...byEntity(all)], devices);
  const labels = all.map(({ values }) => Number(values[task.label.of] ?? Number.NaN));
  const count = devices ?? 1;
  if (count > all.length) {
    throw new HeadwaterError("data-invalid", `${all.length} readings cannot be dealt to ${count} devices`);
  }
  const hands = deal(labels, count, { dealing: partition, random: randomStream(seed, "partition") });
  return new Map(hands.map((hand, index) => [`device-${index + 1}`, hand.map((item) => all[item]!)]));
}

// As many devices as groups, named after them; or groups dealt to fewer devices.
function toDevices(groups: [string, readonly Reading[]][], devices: number | undefined): Groups {
  if (devices === undefined || devices === groups.length) return new Map(groups);
  if (devices > groups.length) {
    throw new HeadwaterError(
      "data-invalid",
      `the data has ${groups.length} parts, too few for ${devices} devices`,
    );
  }
  const hands = dealGroups(groups, devices);
  return new Map(
    hands.map((hand, index) => [`device-${index + 1}`, hand.flatMap(([, readings]) => readings)]),
  );
}

function byEntity(readings: readonly Reading[]): Groups {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.entity);
    if (group === undefined) groups.set(reading.entity, [reading]);
    else group.push(reading);
  }
  return groups;
}

// The watermark is the source's, so a device's entities must come interleaved, as they would live.
function byTime(readings: readonly Reading[]): readonly Reading[] {
  return readings.toSorted((a, b) => a.timeMs - b.timeMs);
}

function toDeviceId(name: string): DeviceId {
  const level = name
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 64);
  const id = parseDeviceId(level);
  if (id === undefined) throw new HeadwaterError("data-invalid", `"${name}" cannot name a device`);
  return id;
}

function stem(path: string): string {
  return basename(path)
    .replace(/\.gz$/, "")
    .replace(/\.[^.]*$/, "");
}
