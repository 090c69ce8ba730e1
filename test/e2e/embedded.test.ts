// The example, from the package as npm would install it.

import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { writeFiles } from "../../shared/artefact/disk.js";
import { artefactFiles } from "../../shared/artefact/files.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { makeArtefact } from "../support/artefact.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();

test("a program with a model inside predicts, with nothing but the packed package", async () => {
  const runtime = await createRuntime("auto");
  const { artefact, spec } = await makeArtefact(runtime);
  const model = join(temp.path, "model");
  await writeFiles(model, artefactFiles(artefact, spec), 0);
  runtime.dispose();
  const packed = ["pack", "--ignore-scripts", "--silent", "--pack-destination", temp.path];
  const tarball = execFileSync("npm", packed, { encoding: "utf8" }).trim().split("\n").at(-1)!;
  execFileSync("tar", ["-xf", join(temp.path, tarball), "-C", temp.path]);
  const root = join(temp.path, "package");
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  mkdirSync(join(temp.path, "elsewhere"));
  const example = join(root, "examples/embedded");
  const out = execFileSync(process.execPath, [join(example, "predict.js"), model], {
    cwd: join(temp.path, "elsewhere"),
    input: readings.map((values, minute) => line(minute, values)).join("\n"),
    encoding: "utf8",
  });
  const predictions = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  // The first reading has no row before it to look back at.
  expect(predictions).toMatchObject([
    { entity: "hall", timeMs: 1772323260000, version: 3, value: expect.any(Number), probability: null },
    { entity: "hall", timeMs: 1772323320000, version: 3, value: expect.any(Number), probability: null },
  ]);
});

/** Of the task of `makeArtefact`. */
const readings = [
  { x: 1.5, y: 0.2 },
  { x: 1.7, y: 0.1 },
  { x: 1.9, y: 0.3 },
];

function line(minute: number, values: Readonly<Record<string, number>>): string {
  return JSON.stringify({
    source: "air",
    entity: "hall",
    timeMs: Date.UTC(2026, 2, 1) + 60_000 * minute,
    values,
  });
}
