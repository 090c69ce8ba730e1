// Whatever the lines are: what is suggested is a task, or it is said why there is none.

import fc from "fast-check";
import { expect, test } from "vitest";
import { HeadwaterError } from "../../shared/error.js";
import { parseTask } from "../../shared/task/parse.js";
import { rows, starterOf, surveyLines } from "../support/survey.js";
import { tempFolder } from "../support/temp-folder.js";

const folder = tempFolder();

const key = fc.oneof(
  fc.constantFrom(
    "",
    "time [s]",
    "k".repeat(300),
    "ts",
    "time",
    "id",
    "temp",
    "mode",
    "a.b",
    "x[0]",
    "T °C",
    "no",
    "__proto__",
    "date",
    "c1",
  ),
  fc.string({ maxLength: 6 }),
);
const cell = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 1_767_225_600, max: 1_767_229_200 }),
  fc.constantFrom("on", "off", "a", "b", "21.5", "2026-01-01T00:00:00Z", '"', "#", "a: b"),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 10 }),
);
const columns = fc.dictionary(key, fc.array(cell, { minLength: 1, maxLength: 5 }), {
  minKeys: 1,
  maxKeys: 6,
});
const topics = fc.option(
  fc.array(fc.stringMatching(/^[a-z]{1,3}(\/[a-z0-9 ]{1,3}){1,2}$/), { minLength: 1, maxLength: 3 }),
);

const csvCell = fc.oneof(
  cell.filter((value) => !Array.isArray(value)).map(String),
  fc.constantFrom("", "NA", "x".repeat(300)),
);

test("a suggestion for a table is always a valid task", async () => {
  let suggested = 0;
  const table = fc
    .integer({ min: 1, max: 6 })
    .chain((width) =>
      fc.tuple(
        fc.array(key, { minLength: width, maxLength: width }),
        fc.array(fc.array(csvCell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(",", ";", "\t"),
      ),
    );
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 60 }), async ([head, body, delimiter], count) => {
      const lines = [head, ...rows(count, (i) => body[i % body.length]!)].map((cells) =>
        cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(delimiter),
      );
      if (await isTask(lines)) suggested++;
    }),
    { numRuns: 400 },
  );
  expect(suggested).toBeGreaterThan(50);
});

/** False when it is said that there is no task in these lines. */
async function isTask(lines: readonly string[]): Promise<boolean> {
  try {
    const yaml = starterOf(await surveyLines(folder, lines));
    expect(parseTask(yaml).task.label.kind).toBe("forecast");
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HeadwaterError);
    expect(error).toMatchObject({ code: "data-invalid" });
    return false;
  }
}

test("a suggestion is always a valid task", async () => {
  let suggested = 0;
  await fc.assert(
    fc.asyncProperty(columns, topics, fc.integer({ min: 1, max: 60 }), async (columns, topics, count) => {
      const lines = rows(count, (i) => {
        const body = JSON.stringify(
          Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cells[i % cells.length]])),
        );
        return topics === null ? body : `${topics[i % topics.length]}\t${body}`;
      });
      if (await isTask(lines)) suggested++;
    }),
    {
      numRuns: 400,
      // Rows a month and more apart.
      examples: [
        [
          { " ": [[1e9], 1_767_225_600, [1_002_688_001], 1_767_225_600], ts: [1_767_225_600, [], 0] },
          ["a/0", "a/ "],
          3,
        ],
      ],
    },
  );
  expect(suggested).toBeGreaterThan(100);
});
