// A test set that comes with the data: read like the rest, scored outside the protocol, seen by no device.

import { basename } from "node:path";
import { HeadwaterError } from "../../shared/error.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { GivenTestSpec, SimulateSpec, Task } from "../../shared/task/task.js";
import { type CsvSource, readCsv, readNumbers } from "./csv.js";
import { findFiles } from "./files.js";
import { readIdx } from "./idx.js";

/** Test readings in order of event time, or undefined when the task brings no test set. */
export function readGivenTest(
  task: Task,
  { source, test }: SimulateSpec,
  folder: string | undefined,
): readonly Reading[] | undefined {
  if (test === undefined || source.kind === "generator") return undefined;
  const { source: sourceName } = layOut(task);
  const paths = findFiles(folder, test.files);
  if (source.kind === "idx") {
    const labels = findFiles(folder, test.labels!)[0]!;
    return asTest(readIdx({ source, sourceName, images: paths[0]!, labels, entity: "test" }));
  }
  const readings = paths.flatMap((path) => readRows(task, path, source));
  const labelled = test.labels === undefined ? readings : addLabels(task, readings, { test, folder });
  return asTest(labelled).toSorted((a, b) => a.timeMs - b.timeMs);
}

function readRows(task: Task, path: string, source: CsvSource): Reading[] {
  const { source: sourceName, fields } = layOut(task);
  return readCsv(path, {
    source,
    sourceName,
    fields: fields.map(({ name }) => name),
    entity: basename(path),
  });
}

// The file has one number per entity, the label of its last row, in the order in which entities first appear. A
// label that counts rows left (derived above, as if the data ran to the end) is that much larger in every row.
function addLabels(
  task: Task,
  readings: readonly Reading[],
  { test, folder }: { readonly test: GivenTestSpec; readonly folder: string | undefined },
): Reading[] {
  const path = findFiles(folder, test.labels!)[0]!;
  const numbers = readNumbers(path);
  const entities = [...new Set(readings.map(({ entity }) => entity))];
  if (numbers.length !== entities.length) {
    throw new HeadwaterError(
      "data-invalid",
      `${path} has ${numbers.length} labels for ${entities.length} entities of ${test.files}`,
    );
  }
  const lastLabel = new Map(entities.map((entity, index) => [entity, numbers[index]!]));
  return readings.map((reading) => {
    const own = Number(reading.values[task.label.of] ?? 0);
    return {
      ...reading,
      values: { ...reading.values, [task.label.of]: own + lastLabel.get(reading.entity)! },
    };
  });
}

function asTest(readings: readonly Reading[]): Reading[] {
  return readings.map((reading) => ({ ...reading, test: true }));
}
