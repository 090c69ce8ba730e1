import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeadwaterError } from "../../../../shared/error.js";
import { MAX_TASK_TEXT, parseTask, parseTaskSource } from "../../../../shared/task/parse.js";
import { smallTask } from "../../../support/small-task.js";

/** The message of the refusal, without which the test fails. */
function refusal(yaml: string): string {
  try {
    parseTask(yaml);
  } catch (error) {
    expect(error).toBeInstanceOf(HeadwaterError);
    expect((error as HeadwaterError).code).toBe("task-invalid");
    return (error as HeadwaterError).message;
  }
  throw new Error("the task was accepted");
}

/** The small task with one line replaced. */
function edited(line: string, replacement: string): string {
  expect(smallTask).toContain(line);
  return smallTask.replace(line, replacement);
}

/** The small task with lines added at its end. */
function extended(lines: string): string {
  return `${smallTask}${lines}\n`;
}

describe("a task", () => {
  test("needs little: everything else has a default", () => {
    const { task } = parseTask(smallTask);
    expect(task).toMatchObject({
      entity: "{device}",
      train: { epochs: 1, batch: 32, optimizer: { kind: "sgd", learningRate: 0.01 } },
      rounds: { cohort: { kind: "all" }, minDevices: 1, quorum: 0.8, deadlineMs: 600_000, leaseMs: 300_000 },
      evaluate: { every: 1, cohort: { kind: "all" }, quorum: 0.8, deadlineMs: 600_000 },
      aggregate: { rule: "mean", optimizer: { kind: "sgd", learningRate: 1 } },
      rollout: { gate: { metric: "rmse", maxRegression: 0.02 } },
      simulate: undefined,
    });
  });

  test("keeps the forecast's horizon as gap, and long blocks against it", () => {
    const { split } = parseTask(smallTask).task.rows;
    expect(split).toEqual({
      test: { kind: "none" },
      validation: { share: 0.1, by: "time", blockMs: 86_400_000 },
      gapMs: 3_600_000,
    });
  });

  test("is the same after a journey as JSON text", () => {
    const loaded = parseTask(smallTask);
    expect(parseTaskSource(loaded.source)).toEqual(loaded);
  });

  test("travels without its simulation", () => {
    const loaded = parseTask(extended("simulate: { generator: pumps, with: { seed: 1 }, devices: 3 }"));
    expect(loaded.task.simulate?.devices).toBe(3);
    expect(loaded.source).not.toContain("simulate");
    expect(parseTaskSource(loaded.source).task.simulate).toBeUndefined();
  });
});

test("a task may say everything at once", () => {
  const { task } = parseTask(`
task: beijing-pm25
entity: "{topic.1}"
sources:
  air: { mqtt: "air/+/hourly", decode: json, time: { field: ts, unit: s }, late: { disorder: 2h, then: drop } }
steps:
  hourly: { from: air, do: [ { range: { of: pm25, min: 0, max: 999 } }, { resample: { every: 1h, fill: { hold: 6h } } } ] }
features:
  from: hourly
  list: [ { copy: [pm25, pm10] }, { lag: { of: pm25, by: [1h, 24h] } }, { cyclic: hour } ]
  scale: { standard: { fit: federated } }
label: { forecast: { of: pm25, ahead: 1h }, scale: standard }
rows: { every: 1h, keep: { ring: 40000 }, split: { test: { from: 2016-03-01 }, validation: 10%, gap: 25h } }
model: { dense: [64], output: regression }
train: { epochs: 1, batch: 32, optimizer: { sgd: 0.01 } }
rounds: { cohort: all, quorum: 80%, deadline: 10m, max: 30, stop: { metric: rmse, on: validation, patience: 10 } }
aggregate: { rule: mean, optimizer: { sgd: 1.0 } }
rollout: { gate: { rmse: { maxRegression: 2% } } }
simulate: { dataset: { csv: "PRSA_Data_*.csv.gz", device: file, time: [year, month, day, hour], missing: NA, fields: { pm25: PM2.5 } } }
`);
  expect(task).toMatchObject({
    sources: { air: { mqtt: "air/+/hourly", late: { disorderMs: 7_200_000 } } },
    features: { from: "hourly", scale: { kind: "standard" } },
    label: {
      kind: "forecast",
      of: "pm25",
      ahead: { kind: "time", ms: 3_600_000 },
      scale: { kind: "standard" },
    },
    rows: {
      everyMs: 3_600_000,
      keep: { rows: 40_000, bytes: 2 ** 28, ageMs: undefined },
      split: {
        test: { kind: "from", fromMs: Date.UTC(2016, 2, 1) },
        validation: { share: 0.1, by: "time", blockMs: 250 * 3_600_000 },
        gapMs: 90_000_000,
      },
    },
    rounds: { max: 30, stop: { metric: "rmse", target: undefined, patience: 10 } },
    simulate: {
      source: {
        kind: "csv",
        files: "PRSA_Data_*.csv.gz",
        time: { kind: "calendar", columns: ["year", "month", "day", "hour"] },
        missing: ["NA"],
        fields: { pm25: "PM2.5" },
      },
      partition: { kind: "file" },
    },
  });
});

describe("cohorts", () => {
  test.each([
    ["all", { kind: "all" }],
    ["10%", { kind: "fraction", fraction: 0.1 }],
    ["7", { kind: "count", count: 7 }],
  ])("may be written %s", (text, cohort) => {
    expect(parseTask(extended(`rounds: { cohort: ${text} }`)).task.rounds.cohort).toEqual(cohort);
  });

  test("of a number wait for so many devices", () => {
    expect(parseTask(extended("rounds: { cohort: 7 }")).task.rounds.minDevices).toBe(7);
  });
});

describe("hashes", () => {
  const base = parseTask(smallTask);

  test("do not depend on how a duration is written", () => {
    const other = parseTask(edited("ahead: 1h", "ahead: 60m"));
    expect(other.pipelineHash).toBe(base.pipelineHash);
    expect(other.taskHash).toBe(base.taskHash);
    expect(other.source).not.toBe(base.source);
  });

  test("do not depend on whether a default is written", () => {
    const other = parseTask(extended("train: { batch: 32 }"));
    expect(other.taskHash).toBe(base.taskHash);
  });

  test("of the pipeline outlive a change of quorum; of the task do not", () => {
    const other = parseTask(extended("rounds: { quorum: 51% }"));
    expect(other.pipelineHash).toBe(base.pipelineHash);
    expect(other.taskHash).not.toBe(base.taskHash);
  });

  test("of the pipeline outlive a change of topic and of patience with late readings", () => {
    const other = parseTask(edited("air: {}", "air: { mqtt: other/topic, late: { disorder: 5m } }"));
    expect(other.pipelineHash).toBe(base.pipelineHash);
    expect(other.taskHash).not.toBe(base.taskHash);
  });

  test("both change with the label", () => {
    const other = parseTask(edited("ahead: 1h", "ahead: 2h"));
    expect(other.pipelineHash).not.toBe(base.pipelineHash);
    expect(other.taskHash).not.toBe(base.taskHash);
  });

  test("have nothing of the simulation", () => {
    const other = parseTask(extended("simulate: { generator: pumps }"));
    expect(other.pipelineHash).toBe(base.pipelineHash);
    expect(other.taskHash).toBe(base.taskHash);
  });
});

describe("broken YAML", () => {
  test("is refused with line and column", () => {
    expect(refusal("task: a\nsources: [1, 2\nlabel: x")).toMatch(/^line \d+, column \d+: broken YAML: /);
  });

  test("with a key twice is refused", () => {
    expect(refusal("task: a\ntask: b")).toBe("line 2, column 1: broken YAML: Map keys must be unique");
  });

  test("with an unknown tag is refused", () => {
    expect(refusal("task: !!js/function a")).toContain("line 1, column 7: broken YAML: Unresolved tag");
  });

  test("with an alias bomb is refused", () => {
    const levels = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`);
    expect(refusal(["l0: &l0 [a]", ...levels].join("\n"))).toContain("cannot be read");
  });

  test("nested beyond reason is refused", () => {
    expect(refusal(`task: ${"[".repeat(50_000)}`)).toMatch(/cannot be read|broken YAML/);
  });

  test("of more than a mebibyte is refused unread", () => {
    expect(refusal("#".repeat(MAX_TASK_TEXT + 1))).toBe(
      `the task has ${MAX_TASK_TEXT + 1} characters, above the limit ${MAX_TASK_TEXT}`,
    );
  });

  test.each(["", "just text", "[1, 2]", "null", "42"])("that is no map (%j) is refused", (text) => {
    expect(refusal(text)).toContain("expected object");
  });
});

describe("a task's text", () => {
  test("that is not JSON is refused where JSON is due", () => {
    expect(() => parseTaskSource("task: a")).toThrow("the task is not JSON");
  });

  test("of any kind is parsed or refused, never a crash", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(refusal(text)).not.toBe("");
      }),
    );
  });

  test("with any value in any place is parsed or refused with that place", () => {
    const keys = [
      "task",
      "entity",
      "sources",
      "steps",
      "features",
      "label",
      "rows",
      "model",
      "train",
      "rounds",
    ];
    const source = JSON.parse(parseTask(smallTask).source) as object;
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        try {
          parseTaskSource(JSON.stringify({ ...source, [key]: value }));
        } catch (error) {
          expect(error).toBeInstanceOf(HeadwaterError);
          expect((error as Error).message).toContain(key);
        }
      }),
    );
  });
});

describe("a bare number is refused, and the unit is asked for", () => {
  test.each([
    [
      "rounds: { deadline: 600 }",
      "rounds.deadline: expected a duration with its unit (ms, s, m, h, d, w), such as 30s, 10m or 1h, got 600",
    ],
    ["rounds: { quorum: 0.8 }", "rounds.quorum: expected a percentage with its sign, such as 10%, got 0.8"],
    [
      "rows: { keep: { size: 1000 } }",
      "rows.keep.size: expected a size with its unit (B, kB, MB, GB, KiB, MiB, GiB), such as 64KiB or 100MB, got 1000",
    ],
    [
      "rounds: { cohort: 0.1 }",
      "rounds.cohort: expected all, a percentage such as 10%, or a number of devices, got 0.1",
    ],
    [
      "rows: { split: { validation: 10 } }",
      "rows.split.validation: expected a percentage such as 10%, or {share, by, block}, got 10",
    ],
  ])("%s", (line, message) => {
    expect(refusal(extended(line))).toBe(`line 10: ${message}`);
  });
});

describe("a quantity beyond its bounds is refused with the bound", () => {
  test.each([
    ["rounds: { deadline: 10ms }", 'rounds.deadline: expected a duration from 1s to 4w, got "10ms"'],
    ["rounds: { quorum: 101% }", 'rounds.quorum: expected a percentage from 0.01% to 100%, got "101%"'],
    ["rows: { keep: { ring: 0 } }", "rows.keep.ring: expected at least 1, got 0"],
    ["rows: { keep: { size: 1B } }", 'rows.keep.size: expected a size from 64KiB to 93.1GiB, got "1B"'],
    ["train: { batch: 65537 }", "train.batch: expected at most 65536, got 65537"],
    ["train: { epochs: 1.5 }", "train.epochs: expected int, got 1.5"],
    ["train: { optimizer: { sgd: 0 } }", "train.optimizer.sgd: expected more than 0, got 0"],
    ["rounds: { max: .inf }", "rounds.max: expected"],
  ])("%s", (line, message) => {
    expect(refusal(extended(line))).toContain(`line 10: ${message}`);
  });

  test("hidden layers are bounded in width and number", () => {
    expect(refusal(edited("dense: [8]", "dense: [16385]"))).toContain(
      "model.dense[0]: expected at most 16384, got 16385",
    );
    expect(refusal(edited("dense: [8]", `dense: [${"1,".repeat(17)}]`))).toContain(
      "model.dense: expected at most 16 entries",
    );
  });

  test("vectors are bounded in length", () => {
    expect(refusal(edited("air: {}", "air: { vectors: { image: 70000 } }"))).toContain(
      "sources.air.vectors.image: expected at most 65536, got 70000",
    );
  });
});

describe("an unknown word is refused, and the nearest known one offered", () => {
  test.each([
    ["rouns: { max: 3 }", 'rouns: unknown key "rouns"; did you mean "rounds"?'],
    ["rounds: { qourum: 80% }", 'rounds.qourum: unknown key "qourum"; did you mean "quorum"?'],
    ["train: { optimizer: { sdg: 0.1 } }", 'train.optimizer.sdg: unknown key "sdg"; did you mean "sgd"?'],
    [
      "rounds: { stop: { metric: rsme, patience: 3 } }",
      'rounds.stop.metric: expected "rmse", "mae", "accuracy", "precision", "recall", "f1" or "loss"; did you mean "rmse"?, got "rsme"',
    ],
    ["aggregate: { rule: trimmed }", 'aggregate.rule: expected "mean", got "trimmed"'],
  ])("%s", (line, message) => {
    expect(refusal(extended(line))).toBe(`line 10: ${message}`);
  });

  test("far from every known one: the known ones are listed", () => {
    expect(refusal(extended("train: { zzzzzz: 1 }"))).toBe(
      'line 10: train.zzzzzz: unknown key "zzzzzz" (known: epochs, batch, optimizer, clip)',
    );
  });

  test("that is no plain word: quoted and cut short", () => {
    expect(refusal(extended(`train: { "a\\nb": 1, ${"x".repeat(5_000)}: 1 }`)).split("\n")).toEqual([
      expect.stringContaining('train["a\\nb"]: unknown key "a\\nb"'),
      expect.stringMatching(/^line 10: train\["x{56}\.\.\.\]: unknown key "x{56}\.\.\. \(known: /),
    ]);
  });

  test("for one key of several: nothing else is said about it", () => {
    expect(refusal(edited("dense: [8]", "dens: [8]"))).toBe(
      'line 9: model.dens: unknown key "dens"; did you mean "dense"?',
    );
  });

  test("for an operator", () => {
    expect(refusal(edited("copy: [pm25]", "cpy: [pm25]"))).toBe(
      'line 6: features.list[0].cpy: unknown key "cpy"; did you mean "copy"?',
    );
  });

  test("for a source or step", () => {
    expect(refusal(edited("from: air", "from: ari"))).toBe(
      'line 5: features.from: no source, step or join is called "ari"; did you mean "air"?',
    );
  });
});

test("all problems come at once, in the order of the text", () => {
  const message = refusal(
    extended("train: { batch: 0 }\nrounds: { deadline: 5, max: no }\nrows: { evry: 1h }"),
  );
  expect(message.split("\n").map((line) => line.split(": ").slice(0, 2).join(": "))).toEqual([
    "line 10: train.batch",
    "line 11: rounds.deadline",
    "line 11: rounds.max",
    "line 12: rows.evry",
  ]);
});

test("a missing part is named", () => {
  expect(refusal(edited("task: small\n", ""))).toContain("task: is missing: expected");
  expect(refusal("task: a")).toContain("sources: is missing: expected");
});

test("no end of problems makes no endless message", () => {
  const many = Array.from({ length: 400 }, (_, at) => `key${at}: 1`).join("\n");
  const lines = refusal(extended(many)).split("\n");
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toBe("and 350 more");
});
