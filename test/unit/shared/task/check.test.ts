import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";
import { smallTask } from "../../../support/small-task.js";

/** Refuses the small task with lines replaced and added, for exactly this reason. */
function expectRefusal(
  options: { replace?: readonly [string, string]; add?: string },
  message: string,
): void {
  const [line, replacement] = options.replace ?? ["", ""];
  expect(smallTask).toContain(line);
  const yaml = `${smallTask.replace(line, replacement)}${options.add ?? ""}\n`;
  expect(() => parseTask(yaml)).toThrow(
    expect.objectContaining({ code: "task-invalid", message: expect.stringContaining(message) as unknown }),
  );
}

const digits = `task: digits
sources: { digits: { vectors: { pixels: 4 } } }
features: { from: digits, list: [{ copy: [pixels] }] }
label: { field: digit }
model: { dense: [], output: { classification: 10 } }
`;

describe("a source that is the device itself", () => {
  const source = (air: string) => ({ replace: ["  air: {}", `  air: ${air}`] as const });

  test("has the fields that a device has of itself", () => {
    expectRefusal(
      source("{ host: {} }"),
      'line 3: sources.air.host: a device has no field "pm25" of itself: cpu_',
    );
    expect(() => parseTask(smallTask.replace("{}", "{ host: {} }").replaceAll("pm25", "cpu_shar"))).toThrow(
      'a device has no field "cpu_shar" of itself; did you mean "cpu_share"?',
    );
    const { task } = parseTask(smallTask.replace("{}", "{ host: {} }").replaceAll("pm25", "cpu_share"));
    expect(task.sources.air?.host).toEqual({ everyMs: 10_000 });
  });

  test("is no topic, and tells of itself in json", () => {
    expectRefusal(source("{ host: {}, mqtt: a/b }"), "sources.air.host: is no topic: expected mqtt or host");
    expectRefusal(
      source("{ host: {}, decode: tasmota }"),
      "sources.air.decode: a device tells of itself in json",
    );
  });

  test("is measured as often as can be useful", () => {
    expectRefusal(
      source("{ host: { every: 100ms } }"),
      "sources.air.host.every: expected a duration from 1s to 1h",
    );
  });
});

describe("references", () => {
  test("a step feeding itself is refused", () => {
    expectRefusal(
      {
        add: "steps: { a: { from: b, do: [{ range: { of: pm25, min: 0 } }] }, b: { from: a, do: [{ range: { of: pm25, min: 0 } }] } }",
      },
      'line 10: steps.a.from: step "a" feeds itself',
    );
  });

  test("a step named like a source is refused", () => {
    expectRefusal(
      { add: "steps: { air: { from: air, do: [{ range: { of: pm25, min: 0 } }] } }" },
      'steps.air: a source is called "air" already',
    );
  });

  test("names that objects inherit are nobody's", () => {
    expectRefusal(
      { replace: ["from: air", "from: constructor"] },
      'no source, step or join is called "constructor"',
    );
  });
});

describe("fields", () => {
  test("that no step makes are refused, and those there are listed", () => {
    const hourly = "steps: { hourly: { from: air, do: [{ window: { over: 1h, get: { pm25: [mean] } } }] } }";
    expectRefusal(
      { replace: ["from: air", "from: hourly"], add: hourly },
      'line 6: features.list[0].copy: no field is called "pm25" here; there are pm25.mean',
    );
  });

  test("that are vectors are no label", () => {
    expectRefusal(
      { replace: ["air: {}", "air: { vectors: { pm25: 3 } }"] },
      'line 8: label.forecast.of: takes numbers: "pm25" is a vector of 3',
    );
  });

  test("must make at least one column, and none twice", () => {
    expectRefusal({ replace: ["copy: [pm25]", "observed: pm25"] }, "features.list: makes no column");
    expectRefusal({ replace: ["[pm25]", "[pm25, pm25]"] }, 'features.list: column "pm25" is made twice');
  });
});

describe("labels", () => {
  test("a class index is never scaled", () => {
    expect(() => parseTask(digits)).not.toThrow();
    expect(() => parseTask(digits.replace("digit }", "digit, scale: standard }"))).toThrow(
      'label.scale: a class index is never scaled: expected "none"',
    );
  });

  test("a clamp needs room", () => {
    expectRefusal(
      { replace: ["forecast: { of: pm25, ahead: 1h }", "field: { of: rul, min: 9, max: 3 }"] },
      "label.field.min: expected less than max 3, got 9",
    );
  });

  test("one of forecast and field, not both", () => {
    expectRefusal(
      { replace: ["ahead: 1h }", "ahead: 1h }\n  field: pm25"] },
      'label: expected exactly one of "forecast", "field", "event"',
    );
  });
});

describe("leakage", () => {
  test("a gap shorter than the forecast looks ahead is refused when sides are split by time", () => {
    const message = "rows.split.gap: 30m is shorter than the forecast's 1h: labels would leak";
    expectRefusal({ add: "rows: { split: { gap: 30m } }" }, message);
    expectRefusal(
      { add: "rows: { split: { test: { from: 2020-01-01 }, validation: 0%, gap: 30m } }" },
      message,
    );
  });

  test("no gap is needed where whole entities are held out", () => {
    const rows = "rows: { split: { validation: { by: entity }, gap: 0s } }\n";
    expect(() => parseTask(smallTask + rows)).not.toThrow();
  });
});

/** A task with labels of their own. */
const labelled = (label: string, rest = "") => `task: small
sources: { air: {}, words: {} }
features: { from: air, list: [{ copy: [pm25] }] }
label: ${label}
model: { dense: [8], output: binary }
${rest}`;

const failures = (more = "") =>
  labelled(`{ event: { from: words, of: kind, positive: [1], censor: [2], horizon: 3h ${more} } }`);

describe("labels from a source of their own", () => {
  test("are what nothing else needs to feed", () => {
    expect(() => parseTask(failures())).not.toThrow();
    const feedback = "{ feedback: { from: words, of: kind, match: { interval: { start: from, end: to } } } }";
    expect(() => parseTask(labelled(feedback))).not.toThrow();
  });

  test.each([
    [failures().replace("from: words", "from: wordz"), 'no source is called "wordz"; did you mean "words"?'],
    [
      failures().replace("output: binary", "output: regression"),
      'an event comes or does not: expected "binary"',
    ],
    [failures().replace("[2]", "[1]"), "label.event.censor: a value is named twice"],
    [
      failures().replace("[1]", "[failure]"),
      'label.event.positive[0]: "failure" is no text of sources.words.text.kind: it lists none',
    ],
    [
      failures().replace("[1]", "[failur]").replace("words: {}", "words: { text: { kind: [ok, failure] } }"),
      '"failur" is no text of sources.words.text.kind; did you mean "failure"?',
    ],
    [failures().replace("words: {}", "words: { vectors: { kind: 3 } }"), '"kind" is a vector of 3'],
    [failures("").concat("rows: { split: { gap: 1h } }"), "1h is shorter than the event's horizon 3h"],
    [
      labelled("{ feedback: { from: words, of: kind, match: id, purity: 0.9 } }"),
      "goes with match: {interval}",
    ],
    [labelled("{ feedback: { from: words, of: kind, match: when } }"), 'expected "id", "time" or'],
    [
      labelled("{ feedback: { from: words, of: kind, match: id, classes: [1, 2, 3] } }"),
      "label.feedback.classes: expected 2, as the model has, got 3",
    ],
    [labelled("{ forecast: { of: pm25, ahead: [1h, 24h] } }"), "every further horizon is a task of its own"],
    [
      labelled("{ field: pm25 }", "rows: { keep: { balance: class } }"),
      "the reservoir has 0 places for 2 classes",
    ],
    [
      labelled("{ field: pm25 }", "rows: { split: { test: { by: session, pause: 1m }, gap: 1h } }"),
      "1m is shorter than the gap 1h: sessions would overlap",
    ],
  ])("are refused where they do not fit %#", (yaml, message) => {
    expect(() => parseTask(yaml)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });

  test("a threshold needs rows that are held out", () => {
    const normal = (validation: string) =>
      labelled("{ none: { threshold: 99.5% } }", `rows: { split: { validation: ${validation} } }`)
        .replace("model: { dense: [8], output: binary }", "model: { autoencoder: [4] }")
        .replace(", words: {}", "");
    expect(parseTask(normal("10%")).task.label).toMatchObject({ kind: "none", threshold: 0.995 });
    expect(() => parseTask(normal("0%"))).toThrow("there are no held-out rows to take it from");
  });
});

describe("metrics", () => {
  test("must fit the model", () => {
    expectRefusal(
      { add: "rollout: { gate: { accuracy: {} } }" },
      "rollout.gate.accuracy: accuracy does not fit a model for regression",
    );
    expectRefusal(
      { add: "rounds: { stop: { metric: accuracy, target: 1 } }" },
      "rounds.stop.metric: accuracy does not fit a model for regression",
    );
  });

  test("a stop rule needs validation examples", () => {
    expectRefusal(
      { add: "rounds: { stop: { metric: rmse, patience: 3 } }\nrows: { split: { validation: 0% } }" },
      "rounds.stop.on: rows.split.validation is 0%",
    );
  });

  test.each(["precision", "recall", "f1"])("%s is for a binary output alone", (metric) => {
    const gate = `rollout: { gate: { ${metric}: {} } }\n`;
    const binary = digits.replace("{ classification: 10 }", "binary");
    expect(parseTask(binary + gate).task.rollout.gate.metric).toBe(metric);
    const message = `${metric} does not fit a model for classification`;
    expect(() => parseTask(digits + gate)).toThrow(message);
    expectRefusal({ add: gate }, `${metric} does not fit a model for regression`);
    expect(() => parseTask(`${binary}rounds: { stop: { metric: rmse, target: 1 } }\n`)).toThrow(
      "rmse does not fit a model for binary",
    );
  });

  test("a classifier's gate judges by accuracy unless told otherwise", () => {
    expect(parseTask(digits).task.rollout.gate.metric).toBe("accuracy");
    expect(parseTask(digits.replace("{ classification: 10 }", "binary")).task.rollout.gate.metric).toBe(
      "accuracy",
    );
    expect(parseTask(smallTask).task.rollout.gate.metric).toBe("rmse");
  });
});

test("a lease beyond the deadline is refused", () => {
  expectRefusal(
    { add: "rounds: { deadline: 1m, lease: 2m }" },
    "rounds.lease: 2m is longer than the deadline 1m",
  );
});

describe("simulations", () => {
  const csv = (more: string) => `simulate: { dataset: { csv: a.csv, time: { step: 1h }${more} } }`;

  test("dealing to devices needs their number", () => {
    expectRefusal(
      { add: csv(", device: iid") },
      "simulate.devices: is missing: iid deals to a number of devices",
    );
    expectRefusal({ add: csv(", device: { dirichlet: 0.5 }") }, "simulate.devices: is missing: dirichlet");
  });

  test("entities need a column that names them", () => {
    expectRefusal({ add: csv(", device: entity") }, "simulate.dataset.entity: is missing");
  });

  test("a given test set and its place go together", () => {
    expectRefusal(
      { add: "simulate: { generator: pumps, test: { files: b.csv } }" },
      "simulate.test: is only used with rows.split.test: given",
    );
    expectRefusal(
      { add: `rows: { split: { test: given } }\n${csv("")}` },
      'rows.split.test: "given" needs simulate.test to say where it is',
    );
  });

  test("a dataset feeds one source", () => {
    expectRefusal(
      { replace: ["air: {}", "air: {}\n  sea: {}"], add: csv("") },
      "feeds one source, the task has 2",
    );
  });

  test("images need a vector to go to", () => {
    expectRefusal(
      { add: "simulate: { dataset: { idx: { images: a, labels: b } }, devices: 2 }" },
      `simulate.dataset.fields: "pixels" must be one of the source's vectors`,
    );
  });

  test("files stay below the data folder", () => {
    expectRefusal(
      { add: csv("").replace("a.csv", "../a.csv") },
      "simulate.dataset.csv: expected a file name pattern below",
    );
    expectRefusal(
      { add: csv("").replace("a.csv", "/etc/passwd") },
      "simulate.dataset.csv: expected a file name pattern below",
    );
  });

  test("one of dataset and generator, not both", () => {
    expectRefusal({ add: "simulate: {}" }, 'simulate: expected exactly one of "dataset" or "generator"');
  });
});
