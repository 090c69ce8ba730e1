// The example, from the package as npm would install it.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
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
    input: readFileSync(join(example, "readings.jsonl")),
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
