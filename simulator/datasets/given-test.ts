// A test set that comes with the data: read like the rest, scored outside the protocol, seen by no device.

import { basename } from "node:path";
import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { GivenTestSpec, SimulateSpec, Task } from "../../shared/task/task.js";
import { type CsvSource, readCsv, readNumbers } from "./csv.js";
import { findFiles } from "./files.js";
import { readIdx } from "./idx.js";

/** Test readings in order of event time, or undefined when the task brings no test set. */
export async function readGivenTest(
  task: Task,
  { source, test }: SimulateSpec,
  folder: string | undefined,
): Promise<readonly Reading[] | undefined> {
  if (test === undefined || source.kind === "generator") return undefined;
  const paths = findFiles(folder, test.files);
  if (source.kind === "idx") {
    const { source: sourceName } = layOut(task);
    const pixels = task.sources[sourceName]!.vectors[source.imageField]!;
    const labels = findFiles(folder, test.labels!)[0]!;
    return asTest(readIdx({ source, sourceName, images: paths[0]!, labels, entity: "test", pixels }));
  }
  const readings: Reading[] = [];
  for (const path of paths) {
    for (const reading of await readRows(task, path, source)) readings.push(reading);
  }
  const labelled = test.labels === undefined ? readings : addLabels(task, readings, { source, test, folder });
  return asTest(labelled).toSorted((a, b) => a.timeMs - b.timeMs);
}

function readRows(task: Task, path: string, source: CsvSource): Promise<Reading[]> {
  const { source: sourceName, fields } = layOut(task);
  return readCsv(path, {
    source,
    sourceName,
    fields: fields.map(({ name }) => name),
    entity: basename(path),
  });
}

interface LabelOptions {
  readonly source: CsvSource;
  readonly test: GivenTestSpec;
  readonly folder: string | undefined;
}

// The file has one number per entity, the label of its last row, in the order in which entities first appear.
function addLabels(
  task: Task,
  readings: readonly Reading[],
  { source, test, folder }: LabelOptions,
): Reading[] {
  const path = findFiles(folder, test.labels!)[0]!;
  const numbers = readNumbers(path);
  const lastRows = new Map(readings.map((reading) => [reading.entity, reading]));
  if (numbers.length !== lastRows.size) {
    throw new HeadwaterError(
      "data-invalid",
      `${path} has ${numbers.length} labels for ${lastRows.size} entities of ${test.files}`,
    );
  }
  const lastLabels = new Map([...lastRows.keys()].map((entity, index) => [entity, numbers[index]!]));
  assert(task.label.kind !== "none", "a test set with labels is for a task with a label");
  const field = task.label.of;
  const isCounted = Object.hasOwn(source.derive, field);
  return readings.map((reading) => {
    const last = lastLabels.get(reading.entity)!;
    // Rows left were counted as if the data ran to the end: every row has as many more. Any other label is known
    // of the last row alone.
    const isLast = lastRows.get(reading.entity) === reading;
    const label = isCounted ? Number(reading.values[field]) + last : isLast ? last : null;
    return { ...reading, values: { ...reading.values, [field]: label } };
  });
}

function asTest(readings: readonly Reading[]): Reading[] {
  return readings.map((reading) => ({ ...reading, test: true }));
}
