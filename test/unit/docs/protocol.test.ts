// docs/protocol.md says what the code does: its examples, topics, messages, fields, reasons and limits.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { FRAME_HEADER_BYTES_MAX } from "../../../shared/wire/frame.js";
import {
  BLOB_BYTES_MAX,
  CHUNK_BYTES_MAX,
  downSchemas,
  MESSAGE_BYTES_MAX,
  manifestSchema,
  rejectionReasons,
  releaseSchema,
  signedTaskSchema,
  TASK_SOURCE_MAX,
  upSchemas,
} from "../../../shared/wire/message.js";
import { updateHeaderSchema } from "../../../shared/wire/update.js";
import { decodeUpdate } from "../../../shared/wire/update-frame.js";
import { bytesOfExample, protocolExamples } from "../../support/protocol-examples.js";

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");

describe("the examples are what the code makes", () => {
  const blocks = new Map(
    [...page.matchAll(/^```(?:hex|text) ([a-z-]+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [
      name,
      text?.trimEnd(),
    ]),
  );
  const examples = Object.entries(protocolExamples());

  test("each example stands in the page once", () => {
    expect([...blocks.keys()].sort()).toEqual(examples.map(([name]) => name).sort());
  });

  test.each(examples)("%s", (name, example) => {
    expect(blocks.get(name)).toBe(example);
  });

  test("the update frame can be read back from the page", () => {
    const frame = Buffer.from(bytesOfExample(blocks.get("update-frame") ?? ""), "hex");
    expect(decodeUpdate(frame)).toMatchObject({ ok: true, header: { device: "pump-7", round: 3 } });
  });
});

describe("the table of fields is the schema", () => {
  const schemas: Readonly<Record<string, z.ZodObject>> = {
    ...upSchemas,
    ...downSchemas,
    manifest: manifestSchema,
    release: releaseSchema,
    "signed task": signedTaskSchema,
    "update frame": updateHeaderSchema,
  };
  test.each(Object.entries(schemas))("of %s", (name, schema) => {
    expect(tableUnder(name)).toEqual(Object.keys(schema.shape));
  });
});

test("every reason is explained", () => {
  expect(tableUnder("reasons").sort()).toEqual([...rejectionReasons].sort());
});

test("every limit is stated", () => {
  for (const limit of [
    BLOB_BYTES_MAX,
    CHUNK_BYTES_MAX,
    FRAME_HEADER_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    TASK_SOURCE_MAX,
  ]) {
    expect(page).toContain(limit.toLocaleString("en"));
  }
});

/** First column of the first table below a heading. */
function tableUnder(heading: string): string[] {
  const section = page.split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  return [...section.matchAll(/^\| `([A-Za-z0-9-]+)` \|/gm)].map(([, name]) => name ?? "");
}
