// From `simulate` to what each device will read: files or a generator, dealt out, in order of event time.

import { basename } from "node:path";
import { unreachable } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import type { PartitionSpec, SimulatedSource, Task } from "../../shared/task/task.js";
import { deal, dealGroups } from "../partition.js";
import type { DriftKind } from "../sensors/drift.js";
import { type GeneratedFleet, generateFleet, type Pace } from "../sensors/registry.js";
import { type CsvSource, readCsv } from "./csv.js";
import { findFiles } from "./files.js";
import { readGivenTest } from "./given-test.js";
import { type IdxSource, readIdx } from "./idx.js";

/** What a simulation feeds to its devices. */
export interface Feed {
  /** Readings of each device in order of event time. Whoever has handed them over may leave none in their place. */
  readonly devices: Map<DeviceId, readonly Reading[]>;
  /** A test set of its own, for no device to see. Whoever has made examples of it may leave none in its place. */
  test: readonly Reading[] | undefined;
  /** How telemetry arrives; undefined: it is history, all there at the start. */
  readonly pace: Pace | undefined;
  /** What changes at a known time; undefined: nothing, as far as is known. */
  readonly drift: FeedDrift | undefined;
}

/** A change that the data is known to hold. */
export interface FeedDrift {
  /** Event time. */
  readonly atMs: number;
  readonly kind: DriftKind;
  /** Whom it befalls. */
  readonly devices: ReadonlySet<DeviceId>;
}

/** Where to find data and how to deal it. */
export interface LoadOptions {
  readonly folder: string | undefined;
  /** How many devices; default: what the task or the data says. */
  readonly devices: number | undefined;
  readonly seed: string;
}

/** Loads the task's data. Rejects with `task-invalid`, `data-missing` or `data-invalid`. */
export async function loadFeed(task: Task, options: LoadOptions): Promise<Feed> {
  const { simulate } = task;
  if (simulate === undefined) {
    throw new HeadwaterError(
      "task-invalid",
      `${task.task} has no "simulate" section: it does not say where data is`,
    );
  }
  const { source, partition } = simulate;
  const devices = options.devices ?? simulate.devices;
  if (devices === 0)
    throw new HeadwaterError("task-invalid", "a fleet of 0 devices has nothing to learn from");
  if (source.kind === "generator") return generate(source, { devices: devices ?? 1, seed: options.seed });
  const parts = await readParts(task, source, options.folder);
  const hands = dealParts(task, parts, { partition, devices, seed: options.seed });
  return {
    devices: toDevices(hands),
    test: await readGivenTest(task, simulate, options.folder),
    ...{ pace: undefined, drift: undefined },
  };
}

/** Readings that belong together, under a name: a file, an entity, a device. */
type Part = readonly [name: string, readings: readonly Reading[]];

function generate(
  { name, params }: Extract<SimulatedSource, { kind: "generator" }>,
  { devices, seed }: { readonly devices: number; readonly seed: string },
): Feed {
  const fleet = generateFleet(name, params, { devices, seed });
  const parts = Array.from({ length: devices }, (_, index): Part => {
    const device = fleet.device(index);
    return [device.name, [...device.readings]];
  });
  const hands = toDevices(parts);
  return { devices: hands, test: undefined, pace: fleet.pace, drift: driftOf(fleet, [...hands.keys()]) };
}

function driftOf({ drift }: GeneratedFleet, devices: readonly DeviceId[]): FeedDrift | undefined {
  if (drift === undefined) return undefined;
  const { atMs, kind } = drift;
  const changed = devices.filter((_, index) => drift.befalls(index, devices.length));
  return { atMs, kind, devices: new Set(changed) };
}

function readParts(
  task: Task,
  source: CsvSource | IdxSource,
  folder: string | undefined,
): Promise<readonly Part[]> {
  switch (source.kind) {
    case "csv":
      return readCsvFiles(task, source, folder);
    case "idx":
      return Promise.resolve([["images", readImages(task, source, folder)]]);
    default:
      return unreachable(source);
  }
}

// One part per file; entities within are told apart later.
async function readCsvFiles(
  task: Task,
  source: CsvSource,
  folder: string | undefined,
): Promise<readonly Part[]> {
  const { source: sourceName, fields } = layOut(task);
  const names = fields.map(({ name }) => name);
  const parts: Part[] = [];
  for (const path of findFiles(folder, source.files)) {
    const entity = stem(path);
    const readings = await readCsv(path, { source, sourceName, fields: names, entity });
    parts.push([entity, inRange(path, readings, source)]);
  }
  return parts;
}

// Picked after derived fields were made: rows left are those of the whole file.
function inRange(
  path: string,
  readings: readonly Reading[],
  { fromMs = -Infinity, untilMs = Infinity }: CsvSource,
): readonly Reading[] {
  const picked = readings.filter(({ timeMs }) => timeMs >= fromMs && timeMs < untilMs);
  const [first] = readings;
  if (picked.length > 0 || first === undefined) return picked;
  const range = `at or after ${dateText(fromMs)} and before ${dateText(untilMs)}`;
  const message = `${path} has no rows ${range}; its first is of ${dateText(first.timeMs)}`;
  throw new HeadwaterError("data-invalid", message);
}

// A bound that was left out, or a time that no calendar has, is only a number.
function dateText(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString();
}

function readImages(task: Task, source: IdxSource, folder: string | undefined): readonly Reading[] {
  const [images] = findFiles(folder, source.images);
  const [labels] = findFiles(folder, source.labels);
  const { source: sourceName } = layOut(task);
  const pixels = task.sources[sourceName]!.vectors[source.imageField]!;
  return readIdx({ source, sourceName, images: images!, labels: labels!, entity: "images", pixels });
}

interface Dealing {
  readonly partition: PartitionSpec;
  readonly devices: number | undefined;
  readonly seed: string;
}

function dealParts(
  task: Task,
  files: readonly Part[],
  { partition, devices, seed }: Dealing,
): readonly Part[] {
  if (partition.kind === "file") return dealWhole(files, devices);
  const all = files.flatMap(([, readings]) => readings);
  if (partition.kind === "entity") return dealWhole(byEntity(all), devices);
  const count = devices ?? 1;
  const least = count * (partition.kind === "shards" ? partition.perDevice : 1);
  if (least > all.length) {
    throw new HeadwaterError(
      "data-invalid",
      `${all.length} readings cannot be dealt to ${count} devices (${partition.kind} needs ${least})`,
    );
  }
  const field = task.label.kind === "none" ? undefined : task.label.of;
  const labels = all.map(({ values }) =>
    Number(field === undefined ? Number.NaN : (values[field] ?? Number.NaN)),
  );
  const hands = deal(labels, count, { dealing: partition, random: randomStream(seed, "partition") });
  return hands.map((hand, index): Part => [`device-${index + 1}`, hand.map((item) => all[item]!)]);
}

// As many devices as parts, named after them; or parts dealt to fewer devices.
function dealWhole(parts: readonly Part[], devices: number | undefined): readonly Part[] {
  if (devices === undefined || devices === parts.length) return parts;
  if (devices > parts.length) {
    throw new HeadwaterError(
      "data-invalid",
      `the data has ${parts.length} parts, too few for ${devices} devices`,
    );
  }
  const hands = dealGroups(parts, devices);
  return hands.map((hand, index): Part => [`device-${index + 1}`, hand.flatMap(([, readings]) => readings)]);
}

function byEntity(readings: readonly Reading[]): readonly Part[] {
  const parts = new Map<string, Reading[]>();
  for (const reading of readings) {
    const part = parts.get(reading.entity);
    if (part === undefined) parts.set(reading.entity, [reading]);
    else part.push(reading);
  }
  return [...parts];
}

function toDevices(parts: readonly Part[]): Map<DeviceId, readonly Reading[]> {
  const devices = new Map<DeviceId, readonly Reading[]>();
  for (const [name, readings] of parts) {
    const id = toDeviceId(name);
    if (devices.has(id))
      throw new HeadwaterError("data-invalid", `two parts of the data are both named ${id}`);
    devices.set(id, byTime(readings));
  }
  return devices;
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
