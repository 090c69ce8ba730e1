import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readRecords } from "../support/event-file.js";
import { tempFolder } from "../support/temp-folder.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = tempFolder();

/** Runs the built program (`npm test` builds it) in a folder of its own and waits for its end. */
function headwater(...args: string[]) {
  const { HEADWATER_DATA: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], {
    ...{ cwd: folder.path, encoding: "utf8", env },
  });
  return { status, stdout, stderr };
}

const pumps = join(root, "examples/pumps/task.yaml");
const small = folder.write(
  "small.yaml",
  readFileSync(pumps, "utf8")
    .replace("from: 2026-01-09", "from: 2026-01-03")
    .replace("days: 12, history: 4, hoursPerSecond: 6", "days: 3, history: 1, hoursPerSecond: 12")
    .replace("max: 30", "max: 2")
    .replace("devices: 8", "devices: 2"),
);
const air = join(root, "examples/air-quality/task.yaml");

describe("headwater simulate", () => {
  test("prints one JSON object and nothing else, with progress on standard error", () => {
    const page = join(folder.path, "report.html");
    const events = join(folder.path, "events");
    const { status, stdout, stderr } = headwater(
      "simulate",
      small,
      "--rounds",
      "1",
      "--json",
      "--tensorboard",
      events,
      "--report",
      page,
    );
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(
        "task seed engine metric rounds federated localOnly naive modelHash seconds".split(" "),
      ),
    );
    expect(report).toMatchObject({ task: "pumps", seed: "1", devices: 2, stopped: "max-rounds" });
    expect(stderr).toContain("round 1/1");
    expect(readFileSync(page, "utf8")).toContain("</html>");
    const [name = ""] = readdirSync(events);
    const [round] = readRecords(readFileSync(join(events, name)));
    expect(round).toMatchObject({ step: 1, scalars: { "train/participants": 2, "train/rejected": 0 } });
    expect(round?.scalars["test/rmse"]).toBeCloseTo((report.rounds as [{ value: number }])[0].value, 4);
  });

  test("prints a table without --json, and leaves local-only out when told to", () => {
    const { status, stdout } = headwater("simulate", small, "--rounds", "1", "--no-local");
    expect(status).toBe(0);
    expect(stdout).toContain("naive (persistence)");
  });

  const refused: readonly (readonly [string, readonly string[], number, string])[] = [
    ["an empty fleet", [small, "--devices", "0"], 2, "expected a whole number of at least 1"],
    ["no rounds", [small, "--rounds", "0"], 2, "expected a whole number of at least 1"],
    ["half a device", [small, "--devices", "1.5"], 2, 'got "1.5"'],
    ["an unknown engine", [small, "--engine", "abacus"], 2, "tfjs-wasm"],
    ["a task file that is not there", ["nowhere.yaml"], 2, "cannot read the task nowhere.yaml"],
    ["a report in no folder", [small, "--report", "nowhere/r.html"], 1, "nowhere is not there"],
    ["no data folder", [air], 1, "no data folder; name it with --data or HEADWATER_DATA"],
    [
      "a data folder that is not there",
      [air, "--data", "nowhere"],
      1,
      "the data folder nowhere is not there",
    ],
    ["a data folder without the files", [air, "--data", "."], 1, "no file matches PRSA_Data_*.csv.gz in ."],
  ];

  test.each(refused)("refuses %s with a sentence, not a stack", (_, args, code, message) => {
    const { status, stdout, stderr } = headwater("simulate", ...args, "--json");
    expect({ status, stdout }).toEqual({ status: code, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("    at ");
  });

  test("refuses data that ends in the middle, naming the file", () => {
    folder.write("PRSA_Data_Cut.csv.gz", Buffer.from("1f8b0800000000000003", "hex"));
    const { status, stderr } = headwater("simulate", air, "--data", folder.path);
    expect(status).toBe(1);
    expect(stderr).toContain("PRSA_Data_Cut.csv.gz cannot be read: unexpected end of file");
  });
});

describe("headwater quickstart", () => {
  test("ends with a table, what happened and what to try next, and exit code 0", () => {
    const { status, stdout } = headwater("quickstart", "--task", small, "--seed", "3");
    expect(status).toBe(0);
    expect(stdout).toContain("each device alone");
    expect(stdout).toContain("predictions on live telemetry");
    expect(stdout).toContain("Next:");
  });

  test("prints one JSON object with --json", () => {
    const { status, stdout } = headwater("quickstart", "--task", small, "--seed", "3", "--json");
    expect(status).toBe(0);
    const summary = JSON.parse(stdout) as object;
    expect(Object.keys(summary)).toEqual([
      ...[
        "rounds",
        "metric",
        "federated",
        "localOnly",
        "naive",
        "bytesUp",
        "bytesDown",
        "updates",
        "seconds",
      ],
    ]);
    expect(summary).toMatchObject({ metric: "rmse", updates: { rejected: 0 } });
  });

  test("--virtual needs no broker, and the same seed gives the same numbers", () => {
    const once = () => {
      const { stdout } = headwater("quickstart", "--task", small, "--seed", "3", "--virtual", "--json");
      return { ...(JSON.parse(stdout) as object), seconds: 0 };
    };
    expect(once()).toEqual(once());
  });
});
