import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadTaskFile } from "../../../cli/task-file.js";
import { smallTask } from "../../support/small-task.js";

const folder = mkdtempSync(join(tmpdir(), "headwater-task-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "task.yaml");
  writeFileSync(path, text);
  return path;
}

test("a valid file is loaded", () => {
  expect(loadTaskFile(file(smallTask)).task.task).toBe("small");
});

test("a refusal names the file, then every problem", () => {
  const path = file(`${smallTask}train: { batch: 0, epoch: 1 }\n`);
  expect(() => loadTaskFile(path)).toThrow(
    expect.objectContaining({
      code: "task-invalid",
      message: [
        `${path} is not a valid task:`,
        "  line 10: train.batch: expected at least 1, got 0",
        '  line 10: train.epoch: unknown key "epoch"; did you mean "epochs"?',
      ].join("\n"),
    }),
  );
});

test("a file that is absent, a folder, or far too long is refused", () => {
  expect(() => loadTaskFile(join(folder, "absent.yaml"))).toThrow(/cannot read the task .*ENOENT/);
  expect(() => loadTaskFile(folder)).toThrow(/cannot read the task .*EISDIR/);
  expect(() => loadTaskFile(file("#".repeat(4_000_000)))).toThrow(
    "it has 4000000 bytes, above the limit 3145728",
  );
});
