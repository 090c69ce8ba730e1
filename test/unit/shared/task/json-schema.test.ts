import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { taskJsonSchema } from "../../../../shared/task/json-schema.js";
import { smallTask } from "../../../support/small-task.js";

const schema = taskJsonSchema();
const editor = z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema);

describe("the JSON Schema", () => {
  test("lets valid tasks through", () => {
    expect(editor.safeParse(parse(smallTask)).error).toBeUndefined();
    for (const example of ["air-quality/task", "turbofan/task", "mnist/task", "mnist/shards"]) {
      const text = readFileSync(new URL(`../../../../examples/${example}.yaml`, import.meta.url), "utf8");
      expect(editor.safeParse(parse(text)).error, example).toBeUndefined();
    }
  });

  test.each([
    "rounds: { deadline: 600 }",
    "rounds: { qourum: 80% }",
    "train: { optimizer: { sgd: 1, adam: 1 } }",
  ])("underlines %s", (line) => {
    expect(editor.safeParse(parse(`${smallTask}${line}`)).success).toBe(false);
  });

  test("shows what an author leaves out, as an author would write it", () => {
    expect(schema).toMatchObject({
      properties: { rounds: { properties: { deadline: { type: "string", default: "10m" } } } },
    });
  });

  test("describes every part of a task and every key of its rounds", () => {
    const { properties } = schema as {
      properties: Record<string, { description?: string; properties?: object }>;
    };
    for (const [key, part] of Object.entries(properties)) expect(part.description, key).toBeTypeOf("string");
    for (const [key, part] of Object.entries(properties.rounds?.properties ?? {})) {
      expect((part as { description?: string }).description, key).toBeTypeOf("string");
    }
  });
});
