import { expect, test } from "vitest";
import type { Decode } from "../../../../device/ingest/decoders/port.js";
import { Reception } from "../../../../device/ingest/reception.js";
import { SourceLog } from "../../../../device/ingest/source-log.js";
import type { SourceMessage } from "../../../../device/ingest/sources/port.js";
import { Counters } from "../../../../shared/counters.js";
import { HeadwaterError } from "../../../../shared/error.js";
import { type LogFields, silentLogger } from "../../../../shared/log.js";
import type { Reading } from "../../../../shared/pipeline/types.js";
import { createGate } from "../../../contract/transport.js";

const NOW_MS = Date.UTC(2026, 6, 1);

function message(options: Partial<SourceMessage> = {}): SourceMessage {
  return { source: "air", topic: "air/a", payload: Buffer.from("1"), arrivalMs: NOW_MS, ...options };
}

/** Answers a reading whose value is the payload. */
const decode: Decode = ({ payload, arrivalMs }) => {
  if (typeof arrivalMs === "string") return { readings: [], faults: [arrivalMs], badValues: 0 };
  const values = { v: Number(Buffer.from(payload).toString()) };
  const item = { source: "air", entity: "a", timeMs: arrivalMs, values };
  return { readings: [item], faults: [], badValues: 0 };
};

function lab(options: { readonly decode?: Decode; readonly ingest?: () => Promise<void> } = {}) {
  const counters = new Counters();
  const warnings: LogFields[] = [];
  const readings: Reading[] = [];
  const replies: string[] = [];
  const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
  const receiver = { decode: options.decode ?? decode, pacer: undefined };
  const reception = new Reception({
    receivers: new Map([
      ["air", receiver],
      ["door", receiver],
    ]),
    ingest: async (more) => {
      await options.ingest?.();
      readings.push(...more);
    },
    reply: (source, { topic }) => void replies.push(`${source} ${topic}`),
    log: new SourceLog({ logger, counters }),
  });
  return { reception, counters, warnings, readings, replies };
}

test("a message is done with when its readings have gone through, and not before", async () => {
  const gate = createGate();
  const { reception, readings, counters } = lab({ ingest: () => gate.opened });
  const taken = reception.take(message());
  expect(readings).toEqual([]);
  gate.open();
  await taken;
  expect(readings).toHaveLength(1);
  expect(counters.toJSON()).toEqual({ "telemetry.taken": 1 });
});

test("messages of one source go one after the other, and hold up no other source", async () => {
  const gate = createGate();
  let calls = 0;
  const { reception, readings } = lab({
    ingest: () => {
      calls++;
      return calls === 1 ? gate.opened : Promise.resolve();
    },
  });
  const first = reception.take(message({ payload: Buffer.from("1") }));
  const second = reception.take(message({ payload: Buffer.from("2") }));
  await reception.take(message({ source: "door", payload: Buffer.from("3") }));
  expect(calls).toBe(2);
  gate.open();
  await Promise.all([first, second]);
  expect(readings.map(({ values }) => values.v)).toEqual([3, 1, 2]);
});

test("what cannot be taken is counted by its reason, done with, and told once per source", async () => {
  const { reception, counters, warnings } = lab();
  await reception.take(message({ payload: new Uint8Array(262_145) }));
  await reception.take(message({ payload: new Uint8Array(262_145) }));
  await reception.take(message({ retained: true }));
  await reception.take(message({ arrivalMs: 0 }));
  await reception.take(message({ source: "door", arrivalMs: 0 }));
  await reception.take(message({ source: "gone" }));
  expect(counters.toJSON()).toEqual({
    "telemetry.too-large": 2,
    "telemetry.retained": 1,
    "telemetry.clock-unset": 2,
    "telemetry.unknown-source": 1,
  });
  expect(warnings.map(({ source, reason }) => `${source} ${reason}`)).toEqual([
    "air too-large",
    "air retained",
    "air clock-unset",
    "door clock-unset",
    "gone unknown-source",
  ]);
});

test("readings that the pipeline will not have are counted, and the next ones go on", async () => {
  let isFull = true;
  const { reception, counters, readings } = lab({
    ingest: async () => {
      if (isFull) throw new HeadwaterError("storage-full", "the disk is full");
    },
  });
  await reception.take(message());
  isFull = false;
  await reception.take(message());
  expect(readings).toHaveLength(1);
  expect(counters.toJSON()).toEqual({ "telemetry.not-taken-storage-full": 1, "telemetry.taken": 1 });
});

test("what a protocol wants to be said goes to where the source is", async () => {
  const reply = { topic: "rebirth", payload: new Uint8Array() };
  const { reception, replies } = lab({
    decode: () => ({ readings: [], faults: [], badValues: 0, replies: [reply] }),
  });
  await reception.take(message());
  expect(replies).toEqual(["air rebirth"]);
});
