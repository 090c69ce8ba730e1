import { describe, expect, test } from "vitest";
import type { UpdateId } from "../../../../shared/id.js";
import {
  CHUNK_BYTES_MAX,
  decodeMessage,
  downSchemas,
  encodeMessage,
  MESSAGE_BYTES_MAX,
  upSchemas,
} from "../../../../shared/wire/message.js";
import { packValue } from "../../../../shared/wire/msgpack.js";
import { sampleMessages } from "../../../support/sample-messages.js";

test.each(sampleMessages)("a message of kind $kind comes back as it was", ({ schema, message }) => {
  expect(decodeMessage(schema, encodeMessage(message))).toEqual(message);
});

test("there is a sample of every kind", () => {
  const kinds = sampleMessages.map(({ kind }) => kind);
  expect(kinds).toEqual(
    expect.arrayContaining([
      ...Object.keys(upSchemas),
      ...Object.keys(downSchemas),
      "manifest",
      "signed task",
    ]),
  );
});

describe.each(sampleMessages)("a message of kind $kind is refused", ({ schema, message }) => {
  test.each(Object.keys(message))("without %s", (key) => {
    const { [key]: _, ...rest } = message as Record<string, unknown>;
    expect(decodeMessage(schema, packValue(rest))).toBeUndefined();
  });

  test("with another protocol version", () => {
    expect(decodeMessage(schema, packValue({ ...message, v: 2 }))).toBeUndefined();
  });
});

const chunk = { v: 1 as const, updateId: "ab12" as UpdateId, offset: 0, data: Uint8Array.of(1) };

test("an unknown key is ignored", () => {
  expect(decodeMessage(upSchemas.chunk, packValue({ ...chunk, colour: "blue" }))).toEqual(chunk);
});

test("the largest chunk fits a payload, a larger one is refused", () => {
  const largest = encodeMessage({ ...chunk, data: new Uint8Array(CHUNK_BYTES_MAX) });
  expect(largest.length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
  expect(decodeMessage(upSchemas.chunk, largest)).toBeDefined();
  const larger = encodeMessage({ ...chunk, data: new Uint8Array(CHUNK_BYTES_MAX + 1) });
  expect(decodeMessage(upSchemas.chunk, larger)).toBeUndefined();
});

test("a payload beyond the limit is not decoded", () => {
  const padded = packValue({ ...chunk, padding: new Uint8Array(MESSAGE_BYTES_MAX) });
  expect(decodeMessage(upSchemas.chunk, padded)).toBeUndefined();
});

test.each([
  ["a fraction as offset", { ...chunk, offset: 0.5 }],
  ["a negative offset", { ...chunk, offset: -1 }],
  ["text as data", { ...chunk, data: "abc" }],
  ["no data", { ...chunk, data: new Uint8Array() }],
  ["an id with a slash", { ...chunk, updateId: "a/b" }],
  ["an array", [chunk]],
])("%s is refused", (_, value) => {
  expect(decodeMessage(upSchemas.chunk, packValue(value))).toBeUndefined();
});
