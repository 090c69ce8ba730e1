// docs/pipeline.md names every source, decoder, operator, join, check, label and policy there is, with an example that
// is read by the same code as a task: what is written there works.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { examples as decoderExamples } from "../../../device/ingest/decoders/examples.js";
import type { ExampleMessage } from "../../../device/ingest/decoders/port.js";
import { decoders } from "../../../device/ingest/decoders/registry.js";
import { sourceKinds } from "../../../device/ingest/sources/registry.js";
import type { FeatureOperator, StepOperator } from "../../../shared/pipeline/operators/port.js";
import { featureOperators, stepOperators } from "../../../shared/pipeline/operators/registry.js";
import type { DecodeSpec } from "../../../shared/task/decode-spec.js";
import { hostFields } from "../../../shared/task/host-fields.js";
import { taskJsonSchema } from "../../../shared/task/json-schema.js";
import { parseTask } from "../../../shared/task/parse.js";
import {
  checkExamples,
  type DocsExample,
  eventTimeExamples,
  joinExamples,
  scalingExamples,
} from "../../support/docs-examples.js";
import { labelExamples, rowExamples } from "../../support/docs-label-examples.js";
import {
  inputSchema,
  optionsTable,
  replaceBlock,
  schemaAt,
  wordsOf,
  yamlFence,
} from "../../support/docs-tables.js";
import { signalExamples } from "../../support/signal-examples.js";

const path = fileURLToPath(new URL("../../../docs/pipeline.md", import.meta.url));
const taskSchema = taskJsonSchema();

type Operator = StepOperator | FeatureOperator;

function describeOperator({ name, doc, example, moreExamples = [], params }: Operator): string {
  const parts = [
    `#### ${name}`,
    doc,
    ...[example, ...moreExamples].map((each) => yamlFence({ [name]: each.params })),
    optionsTable(inputSchema(params)),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function describeOperators(operators: Readonly<Record<string, Operator>>): string {
  return Object.values(operators)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((operator) => describeOperator(operator))
    .join("\n\n");
}

function describeDecoder(kind: DecodeSpec["kind"]): string {
  const { source, messages, readings } = decoderExamples[kind];
  const shown = readings.map(({ entity, time, values, id }) =>
    JSON.stringify({
      entity,
      ...(time === undefined ? {} : { time }),
      values,
      ...(id === undefined ? {} : { id }),
    }),
  );
  return `#### ${kind}

${decoders[kind].doc}

\`\`\`yaml
${source}
\`\`\`

\`\`\`text
${[...messages.map((message) => describeMessage(message)), ...shown.map((line) => `  => ${line}`)].join("\n")}
\`\`\``;
}

function describeMessage(message: ExampleMessage): string {
  const payload = "text" in message ? message.text.trimEnd() : `(hex) ${message.hex}`;
  return payload.includes("\n") ? `${message.topic}\n${payload}` : `${message.topic}  ${payload}`;
}

function describeExamples(examples: readonly DocsExample[]): string {
  return examples
    .map(({ title, doc, yaml }) => `#### ${title}\n\n${doc}\n\n\`\`\`yaml\n${yaml}\n\`\`\``)
    .join("\n\n");
}

/** Examples, then every option of the part of the schema they are about. */
function describePart(examples: readonly DocsExample[], ...at: readonly string[]): string {
  return `${describeExamples(examples)}\n\n${optionsTable(schemaAt(taskSchema, at))}`;
}

function describeSources(): string {
  return Object.entries(sourceKinds)
    .map(([kind, { doc, example }]) => `#### ${kind}\n\n${doc}\n\n\`\`\`yaml\n${example.trim()}\n\`\`\``)
    .join("\n\n");
}

function describeHostFields(): string {
  const rows = Object.entries(hostFields).map(
    ([name, { unit, doc }]) => `| \`${name}\` | ${unit} | ${doc} |`,
  );
  return ["| field | unit | |", "|---|---|---|", ...rows].join("\n");
}

const blocks: Readonly<Record<string, () => string>> = {
  sources: describeSources,
  "host fields": describeHostFields,
  decoders: () =>
    Object.keys(decoders)
      .map((kind) => describeDecoder(kind as DecodeSpec["kind"])) // keys of a record by kind
      .join("\n\n"),
  "event time": () => describePart(eventTimeExamples, "sources", "*", "late"),
  checks: () => describePart(checkExamples, "sources", "*", "checks", "*"),
  "step operators": () => describeOperators(stepOperators),
  joins: () =>
    `${describeExamples(joinExamples)}\n\n\`asof\`:\n\n${optionsTable(schemaAt(taskSchema, ["join", "*", "asof", "*"]))}\n\n\`interval\`:\n\n${optionsTable(schemaAt(taskSchema, ["join", "*", "interval", "*"]))}`,
  "feature operators": () => describeOperators(featureOperators),
  scaling: () => describeExamples(scalingExamples),
  signals: () => describeExamples(signalExamples),
  labels: () =>
    `${describeExamples(labelExamples)}\n\n\`event\`:\n\n${optionsTable(schemaAt(taskSchema, ["label", "event"]))}\n\n\`feedback\`:\n\n${optionsTable(schemaAt(taskSchema, ["label", "feedback"]))}`,
  rows: () =>
    `${describeExamples(rowExamples)}\n\n\`keep\`:\n\n${optionsTable(schemaAt(taskSchema, ["rows", "keep"]))}\n\n\`split\`:\n\n${optionsTable(schemaAt(taskSchema, ["rows", "split"]))}`,
};

/** A small task with parts of it replaced. */
function taskWith(yaml: string): string {
  const base = {
    task: "docs",
    sources: { air: {} },
    features: { from: "air", list: [{ copy: "x" }] },
    label: { field: "x" },
    model: { dense: [4], output: "regression" },
  };
  return stringify({ ...base, ...(parse(yaml) as object) });
}

describe("docs/pipeline.md", () => {
  test("has an example of every kind of label, and of every way to match one", () => {
    const shown = labelExamples.flatMap(({ shows }) => shows);
    const kinds = optionsTable(schemaAt(taskSchema, ["label"])).matchAll(/^\| `(\w+)`/gm);
    expect(shown).toEqual(
      expect.arrayContaining([...kinds].map(([, kind]) => kind).filter((k) => k !== "scale")),
    );
    expect(shown).toEqual(expect.arrayContaining(["id", "time", "interval"]));
  });

  test("says what the code says", () => {
    const text = readFileSync(path, "utf8");
    const wanted = Object.entries(blocks).reduce(
      (written, [name, write]) => replaceBlock(written, name, write()),
      text,
    );
    if (process.env.HEADWATER_WRITE_DOCS === "1") writeFileSync(path, wanted);
    else expect(text).toBe(wanted);
  });

  test.each(
    [
      ...eventTimeExamples,
      ...checkExamples,
      ...joinExamples,
      ...scalingExamples,
      ...signalExamples,
      ...labelExamples,
      ...rowExamples,
    ].map(({ title, yaml }) => [title, yaml] as const),
  )("the example of %s is a valid part of a task", (_, yaml) => {
    expect(parseTask(taskWith(yaml)).task.task).toBe("docs");
  });

  test.each([
    ["late", eventTimeExamples, ["sources", "*", "late", "then"]],
    ["a failed check", checkExamples, ["sources", "*", "checks", "*", "onFail"]],
    ["a counter", checkExamples, ["sources", "*", "checks", "*", "counter"]],
    ["a row that is missed", joinExamples, ["join", "*", "asof", "*", "miss"]],
  ] as const)("every policy on %s has an example", (_, examples, at) => {
    const shown = examples.flatMap(({ shows }) => shows);
    expect(shown).toEqual(expect.arrayContaining([...wordsOf(schemaAt(taskSchema, at))]));
  });
});
