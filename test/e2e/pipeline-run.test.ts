// `headwater pipeline run`, as a user runs it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MAIN } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

const folder = tempFolder();

function run(args: readonly string[], input = "") {
  const options = { encoding: "utf8", input } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "pipeline", "run", ...args], options);
  return { status, stdout, stderr };
}

const task = folder.write(
  "task.yaml",
  `task: t
entity: "{topic.1}"
sources: { air: { mqtt: air/+ } }
features: { from: air, list: [{ copy: a }, { lag: { of: a, rows: 1 } }], scale: none }
label: { forecast: { of: a, ahead: { rows: 1 } } }
rows: { split: { validation: 0% } }
model: { dense: [] }
`,
);
const lines = (rows: number) =>
  Array.from({ length: rows }, (_, i) => `${JSON.stringify({ ts: i, a: i / 10 })}\n`).join("");
const data = folder.write("roof.jsonl", `${lines(3)}oops\n`);

test("features come out as CSV, and what was taken or not on standard error", () => {
  const { status, stdout, stderr } = run([task, "--data", data]);
  expect(status).toBe(0);
  expect(stdout).toBe(
    "time,entity,a,a.lag_1\n1970-01-01T00:00:01.000Z,roof,0.1,0\n1970-01-01T00:00:02.000Z,roof,0.2,0.1\n",
  );
  expect(stderr).toMatch(/^4 lines, 3 readings, 2 rows of 2 columns in [\d.]+ s\n1 train, 0 validation/);
  expect(stderr).toMatch(/telemetry\.not-json +│ +1 │/);
});

test("--json prints one object of counters, rows, columns and seconds", () => {
  const { stderr } = run([task, "--data", data, "--json"]);
  expect(JSON.parse(stderr)).toMatchObject({
    rows: 2,
    columns: ["a", "a.lag_1"],
    counters: { "telemetry.taken": 3, "telemetry.not-json": 1 },
    seconds: expect.any(Number),
  });
});

test("--out takes the rows, and the standard output is free for the summary", () => {
  const out = `${folder.path}/rows.jsonl`;
  const { stdout, stderr } = run([
    ...[task, "--data", data, "--out", out],
    ...["--json", "--format", "jsonl", "--examples"],
  ]);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({ examples: { train: 1, validation: 0, test: 0 } });
  expect(JSON.parse(readFileSync(out, "utf8"))).toEqual({
    time: "1970-01-01T00:00:01.000Z",
    entity: "roof",
    features: { a: 0.1, "a.lag_1": 0 },
    label: 0.2,
    split: "train",
  });
});

test("- is the standard input, and lines may bring their topics", () => {
  const input = 'air/east\t{"ts":1,"a":1}\nair/east\t{"ts":2,"a":2}\nelsewhere\t{}\n';
  const { stdout, stderr } = run([task, "--data", "-", "--with-topic", "--json"], input);
  expect(stdout).toContain("1970-01-01T00:00:02.000Z,east,2,1\n");
  expect(JSON.parse(stderr)).toMatchObject({ counters: { "telemetry.other-topic": 1 } });
});

test("rows come out while a pipe is still open", async () => {
  const child = spawn(process.execPath, [MAIN, "pipeline", "run", task, "--data", "-"]);
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stdin.write(lines(3));
  await until(() => stdout.includes("1970-01-01T00:00:01.000Z,stdin,0.1,0\n"));
  child.stdin.end();
  await once(child, "close");
  expect(stdout).toContain("1970-01-01T00:00:02.000Z,stdin,0.2,0.1\n");
});

test("a reader that goes away ends it quietly", () => {
  const long = folder.write("long.jsonl", lines(50_000));
  const command = `"${process.execPath}" "${MAIN}" pipeline run "${task}" --data "${long}" | head -n 2; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toBe("time,entity,a,a.lag_1\n1970-01-01T00:00:01.000Z,long,0.1,0\n0\n");
});

describe("what cannot be run is said with exit code 2", () => {
  test.each([
    [["--data", "wind=x.csv"], 'no source is called "wind"; there are air'],
    [["--data", "ari=x.csv"], `did you mean "air"?`],
    [["--data", "-", "-"], "the standard input can be read only once"],
    [["--data", data, "--every", "5"], "expected a duration with its unit"],
    [["--data", data, "--format", "xml"], "Allowed choices are csv, jsonl"],
  ])("%j", (args, message) => {
    const { status, stdout, stderr } = run([task, ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

test("why no row came is said", () => {
  const short = folder.write("short.jsonl", lines(1));
  expect(run([task, "--data", short]).stderr).toContain("no row of features: the pipeline is warm after");
  const empty = folder.write("empty.jsonl", "");
  expect(run([task, "--data", empty]).stderr).toContain("there was no line");
  const late = folder.write("late.jsonl", '{"ts":9,"a":1}\n{"ts":5,"a":1}\n{"ts":10,"a":1}\n');
  expect(run([task, "--data", late]).stderr).toContain("1 of 3 readings came late: sort the lines by time");
});
