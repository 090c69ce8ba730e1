// Laws of the wire: round trips, refusal of every damage, and nothing a peer can send that throws.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDeviceId, parseTaskId } from "../../shared/id.js";
import { randomStream } from "../../shared/random.js";
import { missingRanges, splitChunks } from "../../shared/wire/chunk.js";
import { decodeFrame, encodeFrame } from "../../shared/wire/frame.js";
import { decodeMessage, encodeMessage } from "../../shared/wire/message.js";
import { decodeModelBlob } from "../../shared/wire/model-blob.js";
import { packValue, unpackValue } from "../../shared/wire/msgpack.js";
import { downKinds, parseTopic, topics, upKinds } from "../../shared/wire/topic.js";
import { decodeUpdate } from "../../shared/wire/update-frame.js";
import { sampleMessages } from "../support/sample-messages.js";

const level = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((integer) => integer || 0),
    fc.double({ noNaN: true }),
    fc.string({ unit: "binary" }),
    fc.uint8Array(),
    fc.array(tie("value"), { maxLength: 40 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
      { noNullPrototype: true, maxKeys: 20 },
    ),
  ),
})).value;

describe("msgpack", () => {
  test("every plain value comes back as it was", () => {
    fc.assert(
      fc.property(plain, (value) => {
        // -0 is sent as the integer 0.
        expect(unpackValue(packValue(value))?.value).toEqual(withoutMinusZero(value));
      }),
    );
  });

  test("arbitrary bytes never throw, and what decodes costs at most a few times its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const unpacked = unpackValue(bytes);
        expect(unpacked === undefined || countNodes(unpacked.value) <= bytes.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("frames", () => {
  const headers = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.nat(), fc.string()));
  const bodies = fc.uint8Array({ maxLength: 64 });

  test("decoding gives header and body back", () => {
    fc.assert(
      fc.property(headers, bodies, fc.constantFrom("update", "model"), (header, body, kind) => {
        expect(decodeFrame(kind, encodeFrame(kind, header, body))).toEqual({ ok: true, header, body });
      }),
    );
  });

  test("a frame with any one bit changed is refused", () => {
    fc.assert(
      fc.property(headers, bodies, (header, body) => {
        const frame = encodeFrame("update", header, body);
        for (let bit = 0; bit < frame.length * 8; bit++) {
          frame[bit >> 3]! ^= 1 << (bit & 7);
          expect(decodeFrame("update", frame).ok).toBe(false);
          frame[bit >> 3]! ^= 1 << (bit & 7);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a frame with any byte changed to any other is refused", () => {
    fc.assert(
      fc.property(headers, bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (header, body, at, change) => {
        const frame = encodeFrame("update", header, body);
        frame[at % frame.length]! ^= change;
        expect(decodeFrame("update", frame).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test("every truncation of a frame is refused", () => {
    fc.assert(
      fc.property(headers, bodies, (header, body) => {
        const frame = encodeFrame("update", header, body);
        for (let length = 0; length < frame.length; length++) {
          expect(decodeFrame("update", frame.subarray(0, length)).ok).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("arbitrary headers and bodies in a sound frame never make a decoder throw", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), plain), bodies, (header, body) => {
        expect(decodeUpdate(encodeFrame("update", header, body)).ok).toBe(false);
        expect(decodeModelBlob(encodeFrame("model", header, body)).ok).toBe(false);
      }),
    );
  });
});

describe("messages", () => {
  test("10,000 mutations of valid messages never throw", () => {
    const random = randomStream("wire", "mutations");
    const payloads = sampleMessages.map(({ schema, message }) => ({
      schema,
      payload: encodeMessage(message),
    }));
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const { schema, payload } = payloads[i % payloads.length]!;
      const mutated = payload.slice(0, random.integer(4) === 0 ? random.integer(payload.length) : undefined);
      for (let flips = 1 + random.integer(4); flips > 0 && mutated.length > 0; flips--) {
        mutated[random.integer(mutated.length)] = random.integer(256);
      }
      if (decodeMessage(schema, mutated) === undefined) refused++;
    }
    // Changed text or numbers may well be valid; a changed structure is not.
    expect(refused).toBeGreaterThan(5000);
  });

  test("arbitrary bytes never throw", () => {
    const schemas = sampleMessages.map(({ schema }) => schema);
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 300 }), (schema, bytes) => {
        expect(decodeMessage(schema, bytes)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test("arbitrary values never throw", () => {
    const schemas = sampleMessages.map(({ schema }) => schema);
    fc.assert(
      fc.property(fc.constantFrom(...schemas), plain, (schema, value) => {
        expect(decodeMessage(schema, packValue(value))).toBeUndefined();
      }),
    );
  });
});

describe("topics", () => {
  const ids = fc.record({
    task: level.map((text) => parseTaskId(text)!),
    device: level.map((text) => parseDeviceId(text)!),
  });

  test("parsing is the inverse of building", () => {
    fc.assert(
      fc.property(
        ids,
        fc.constantFrom(...upKinds),
        fc.constantFrom(...downKinds),
        ({ task, device }, up, down) => {
          expect(parseTopic(topics.up(task, device, up))).toEqual({
            direction: "up",
            task,
            device,
            kind: up,
          });
          expect(parseTopic(topics.down(task, device, down))).toEqual({
            direction: "down",
            task,
            device,
            kind: down,
          });
          expect(parseTopic(topics.presence(task, device))).toEqual({ direction: "presence", task, device });
          expect(parseTopic(topics.task(task))).toEqual({ direction: "task", task });
          expect(parseTopic(topics.release(task))).toEqual({ direction: "release", task });
        },
      ),
    );
  });

  test("what parses, builds back to the same text", () => {
    const levels = fc.oneof(
      level,
      fc.constantFrom("hw", "1", "up", "down", "task", "release", "presence", ...upKinds, ""),
    );
    fc.assert(
      fc.property(fc.array(levels, { maxLength: 7 }), (parts) => {
        const topic = parts.join("/");
        const parsed = parseTopic(topic);
        if (parsed !== undefined) expect(build(parsed)).toBe(topic);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("chunks", () => {
  const sizes = fc.record({
    total: fc.integer({ min: 0, max: 500 }),
    chunkBytes: fc.integer({ min: 1, max: 100 }),
  });

  test("missing ranges are exactly the bytes that have not arrived", () => {
    const received = fc.array(fc.tuple(fc.nat({ max: 600 }), fc.nat({ max: 100 })), { maxLength: 20 });
    fc.assert(
      fc.property(received, fc.nat({ max: 500 }), (ranges, total) => {
        const present = new Set(ranges.flatMap(([offset, length]) => bytesFrom(offset, length)));
        const missing = missingRanges(ranges, total, 1000).flatMap(([offset, length]) =>
          bytesFrom(offset, length),
        );
        expect(missing).toEqual(bytesFrom(0, total).filter((i) => !present.has(i)));
      }),
    );
  });

  test("an upload is whole after reorder, duplicates and losses, whatever the chunk size was meanwhile", () => {
    fc.assert(
      fc.property(sizes, fc.string(), ({ total, chunkBytes }, seed) => {
        const random = randomStream(seed, "chunks");
        const blob = Uint8Array.from({ length: total }, () => random.integer(256));
        const staged: { offset: number; data: Uint8Array }[] = [];
        for (let attempt = 0; ; attempt++) {
          const missing = missingRanges(
            staged.map(({ offset, data }) => [offset, data.length]),
            total,
            4,
          );
          if (missing.length === 0) break;
          expect(attempt).toBeLessThan(2000);
          const size = Math.max(1, chunkBytes - random.integer(5));
          const sent = splitChunks(total, size, missing).flatMap((chunk) => copies(chunk, random.integer(4)));
          for (const [offset, length] of random.shuffle(sent)) {
            staged.push({ offset, data: blob.slice(offset, offset + length) });
          }
        }
        const assembled = new Uint8Array(total);
        for (const { offset, data } of staged) assembled.set(data, offset);
        expect(sha256(assembled)).toBe(sha256(blob));
      }),
    );
  });

  test("chunks cover their ranges once, in order, none longer than asked", () => {
    fc.assert(
      fc.property(sizes, ({ total, chunkBytes }) => {
        const chunks = splitChunks(total, chunkBytes, [[0, total]]);
        expect(chunks.flatMap(([offset, length]) => bytesFrom(offset, length))).toEqual(bytesFrom(0, total));
        expect(chunks.every(([, length]) => length >= 1 && length <= chunkBytes)).toBe(true);
      }),
    );
  });
});

function build(parsed: NonNullable<ReturnType<typeof parseTopic>>): string {
  switch (parsed.direction) {
    case "up":
      return topics.up(parsed.task, parsed.device, parsed.kind);
    case "down":
      return topics.down(parsed.task, parsed.device, parsed.kind);
    case "presence":
      return topics.presence(parsed.task, parsed.device);
    case "task":
    case "release":
      return topics[parsed.direction](parsed.task);
  }
}

function withoutMinusZero(value: unknown): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMinusZero(item)]));
}

function countNodes(value: unknown): number {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, item) => sum + countNodes(item), 0);
}

function bytesFrom(offset: number, length: number): number[] {
  return Array.from({ length }, (_, i) => offset + i);
}

function copies<T>(item: T, count: number): T[] {
  return Array.from({ length: count }, () => item);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
