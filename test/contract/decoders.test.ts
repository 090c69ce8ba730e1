// What every decoder must do, tried with the example it shows in the docs.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { examples } from "../../device/ingest/decoders/examples.js";
import { memoryOf } from "../../device/ingest/decoders/memory.js";
import type { Decode, Decoded } from "../../device/ingest/decoders/port.js";
import { decoders } from "../../device/ingest/decoders/registry.js";
import { decodeState, encodeState } from "../../shared/pipeline/state.js";
import type { Value } from "../../shared/pipeline/types.js";
import { ARRIVAL_MS, exampleLab, payloadOf } from "../support/decoder-lab.js";

const MUTATIONS = 10_000;

describe.each(Object.entries(examples))("%s", (kind, example) => {
  test("the example gives the readings it shows", async () => {
    const decode = await exampleLab(example);
    const decoded = example.messages.map((message) => decode(payloadOf(message), message.topic));
    expect(decoded.flatMap(({ faults }) => faults)).toEqual([]);
    const shown = decoded.flatMap(({ readings }) =>
      readings.map(({ entity, timeMs, values, id }) => ({ entity, timeMs, values: plain(values), id })),
    );
    expect(shown).toEqual(
      example.readings.map(({ entity, time, values, id }) => ({
        ...{ entity, values, id },
        timeMs: time === undefined ? ARRIVAL_MS : Date.parse(time),
      })),
    );
  });

  test(`${MUTATIONS} mutated payloads: no throw, each is readings or counted faults, values are finite`, async () => {
    const decode = await exampleLab(example);
    const payloads = example.messages.map((message) => ({ topic: message.topic, bytes: payloadOf(message) }));
    fc.assert(
      fc.property(fc.nat(payloads.length - 1), mutation, (which, change) => {
        const { topic, bytes } = payloads[which]!;
        expectSound(decode(mutate(bytes, change), topic), example.fields);
      }),
      { numRuns: MUTATIONS },
    );
  }, 60_000);

  test("an empty payload, any bytes and any topic give readings or faults", async () => {
    const decode = await exampleLab(example);
    expectSound(decode("", example.messages[0]!.topic), example.fields);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 40 }), (bytes, topic) => {
        expectSound(decode(bytes, example.messages[0]!.topic), example.fields);
        expectSound(decode(payloadOf(example.messages[0]!), topic), example.fields);
      }),
    );
  });

  test("a message whose arrival says nothing is refused where the arrival is its time", async () => {
    const decode = await exampleLab(example);
    const [message] = example.messages;
    const { readings, faults } = decode(payloadOf(message!), message!.topic, "retained");
    if (example.readings[0]?.time === undefined) expect([readings.length, faults]).toEqual([0, ["retained"]]);
    else expect(faults).toEqual([]);
  });

  test("a stream that is cut anywhere and taken up by another instance gives the same", async () => {
    const payloads = example.messages.map((message) => ({ topic: message.topic, bytes: payloadOf(message) }));
    const drawn = fc.record({
      which: fc.nat(payloads.length - 1),
      change: fc.option(mutation, { freq: 4, nil: [] }),
    });
    const instances = await Promise.all([exampleLab(example), exampleLab(example), exampleLab(example)]);
    const [steady, first, second] = instances;
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 12 }), fc.nat(12), (stream, cutAt) => {
        for (const { decode } of instances) decode.memory?.restore(null);
        stream.forEach(({ which, change }, i) => {
          const { topic, bytes } = payloads[which]!;
          const payload = mutate(bytes, change);
          if (i === cutAt) takeUp(first!.decode, second!.decode);
          const broken = i < cutAt ? first! : second!;
          expect(broken(payload, topic)).toEqual(steady!(payload, topic));
        });
      }),
      { numRuns: 500 },
    );
  });

  test("says in a sentence what it reads", () => {
    expect(decoders[kind as keyof typeof decoders].doc).toMatch(/^[A-Z].{10,160}\.$/);
  });
});

/** As a kill would do it: through bytes. */
function takeUp(from: Decode, to: Decode): void {
  const [saved, revived] = [from, to].map((decode) => memoryOf(new Map([["air", decode]])));
  revived!.restore(decodeState(encodeState(saved!.save())));
}

type Mutation = readonly { readonly at: number; readonly kind: number; readonly bytes: Uint8Array }[];

/** Text that has brought parsers down. */
const nasty = fc.constantFrom(
  ...["__proto__", "constructor", "toString", "NaN", "Infinity", "-0", "1e999", "9".repeat(400), "\\u0000"],
  ...[
    '{"__proto__":{"a":1}}',
    "[".repeat(300),
    "{".repeat(300),
    "\\",
    '"',
    "\n",
    "\r\n",
    ",",
    "=",
    "\u{1f600}",
  ],
);

const mutation: fc.Arbitrary<Mutation> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.nat(3),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      nasty.map((text) => new Uint8Array(Buffer.from(text))),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Each change overwrites, inserts, cuts out, or cuts off. */
function mutate(original: Uint8Array, changes: Mutation): Uint8Array {
  return changes.reduce<Uint8Array>((payload, { at, kind, bytes }) => {
    const start = Math.floor(at * payload.length);
    const [before, after] = [payload.subarray(0, start), payload.subarray(start)];
    switch (kind) {
      case 0:
        return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
      case 1:
        return Buffer.concat([before, bytes, after]);
      case 2:
        return Buffer.concat([before, after.subarray(bytes.length)]);
      default:
        return before;
    }
  }, original);
}

function expectSound({ readings, faults, badValues }: Decoded, fields: readonly string[]): void {
  expect(readings.length + faults.length).toBeGreaterThan(0);
  expect(badValues).toBeGreaterThanOrEqual(0);
  for (const { values, timeMs, entity } of readings) {
    expect(Object.keys(values).toSorted()).toEqual(fields.toSorted());
    expect(Number.isSafeInteger(timeMs)).toBe(true);
    expect(entity).not.toBe("");
    for (const value of Object.values(values)) expect(isSound(value)).toBe(true);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("a");
}

function isSound(value: Value): boolean {
  if (value === null) return true;
  return typeof value === "number" ? Number.isFinite(value) : value.every((each) => Number.isFinite(each));
}

function plain(values: Readonly<Record<string, Value>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value instanceof Float32Array ? [...value] : value]),
  );
}
