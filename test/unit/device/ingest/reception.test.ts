import { expect, test } from "vitest";
import { START } from "../../../../device/checkpoint/mark.js";
import type { Arrival } from "../../../../device/deployment.js";
import type { Decode } from "../../../../device/ingest/decoders/port.js";
import { Reception } from "../../../../device/ingest/reception.js";
import { SourceLog } from "../../../../device/ingest/source-log.js";
import type { SourceMessage } from "../../../../device/ingest/sources/port.js";
import { Counters } from "../../../../shared/counters.js";
import { type LogFields, silentLogger } from "../../../../shared/log.js";

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

function lab(given: Decode = decode) {
  const counters = new Counters();
  const warnings: LogFields[] = [];
  const arrivals: Arrival[] = [];
  const replies: string[] = [];
  const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
  const reception = new Reception({
    decoders: new Map([
      ["air", given],
      ["door", given],
    ]),
    eventNow: (readings, arrivalMs) => arrivalMs + readings.length,
    receive: (arrival) => void arrivals.push(arrival),
    reply: (source, { topic }) => void replies.push(`${source} ${topic}`),
    log: new SourceLog({ logger, counters }),
  });
  const receive = (received: SourceMessage, isNew = true) =>
    reception.receive(received, { mark: { ...START, seq: 1 }, isNew });
  return { receive, counters, warnings, arrivals, replies };
}

test("a message comes to the pipeline with its place and the clock it is judged by, though it gives nothing", () => {
  const { receive, arrivals, counters } = lab();
  receive(message());
  receive(message({ retained: true }));
  expect(arrivals).toMatchObject([
    { readings: [{ values: { v: 1 } }], bytes: 1, eventNowMs: NOW_MS + 1, mark: { seq: 1 } },
    { readings: [], bytes: 1, eventNowMs: NOW_MS },
  ]);
  expect(counters.toJSON()).toEqual({ "telemetry.retained": 1, "telemetry.taken": 1 });
});

test("what a process before this one received is neither counted nor answered again", () => {
  const reply = { topic: "rebirth", payload: new Uint8Array() };
  const { receive, arrivals, counters, replies } = lab((raw) => ({
    ...decode(raw),
    faults: ["no-birth"],
    replies: [reply],
  }));
  receive(message(), false);
  expect([arrivals.length, counters.toJSON(), replies]).toEqual([1, {}, []]);
});

test("what cannot be taken is counted by its reason, done with, and told once per source", () => {
  const { receive, counters, warnings } = lab();
  receive(message({ payload: new Uint8Array(262_145) }));
  receive(message({ payload: new Uint8Array(262_145) }));
  receive(message({ retained: true }));
  receive(message({ arrivalMs: 0 }));
  receive(message({ source: "door", arrivalMs: 0 }));
  receive(message({ source: "gone" }));
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

test("what a protocol wants to be said goes to where the source is", () => {
  const reply = { topic: "rebirth", payload: new Uint8Array() };
  const { receive, replies } = lab(() => ({ readings: [], faults: [], badValues: 0, replies: [reply] }));
  receive(message());
  expect(replies).toEqual(["air rebirth"]);
});
