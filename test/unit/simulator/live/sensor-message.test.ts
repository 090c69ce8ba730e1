import { expect, test } from "vitest";
import { createDecoder } from "../../../../device/ingest/decoders/registry.js";
import { createEntityReader } from "../../../../device/ingest/entity.js";
import type { DeviceId } from "../../../../shared/id.js";
import { layOut } from "../../../../shared/pipeline/layout.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { sensorMessages } from "../../../../simulator/live/sensor-message.js";

const device = "station-1" as DeviceId;

function taskWith(source: string, entity: string) {
  return parseTask(`task: lab
entity: "${entity}"
sources: { air: ${source} }
features: { from: air, list: [{ copy: [a] }], scale: none }
label: { field: a }
model: { dense: [2] }
`).task;
}

test.each([
  ["{ mqtt: air/+/hourly, time: { field: ts, unit: s } }", "{topic.1}", "air/room-7/hourly"],
  ["{ mqtt: air/+/hourly, time: { field: meta.at, unit: iso } }", "{device}", "air/station-1/hourly"],
  [
    '{ mqtt: +/sensors/+, fields: { a: "x.v[2]" }, time: { field: ts, unit: ms } }',
    "{topic.2}",
    "station-1/sensors/room-7",
  ],
  [
    '{ mqtt: air/hourly, convert: { a: { times: 0.5, plus: 1 } }, time: { unit: us }, entity: "{tag.room}" }',
    "{topic.9}",
    "air/hourly",
  ],
  ["{ mqtt: air/+/hourly, time: { unit: local } }", "{topic.1}", "air/room-7/hourly"],
])("a device decodes what is published for %s", async (source, entity, topic) => {
  const task = taskWith(source, entity);
  const { fields } = layOut(task);
  const messages = sensorMessages(task, "air");
  const reading = {
    source: "air",
    entity: entity === "{device}" ? device : "room-7",
    timeMs: Date.UTC(2026, 0, 1, 5),
    values: { a: 1.25 },
  };
  expect(messages.topicOf(device, reading)).toBe(topic);
  const decode = await createDecoder({
    ...{ name: "air", source: task.sources.air!, fields },
    entityOf: createEntityReader(task.sources.air!.entity ?? task.entity, device),
  });
  const payload = messages.payloadOf([reading, { ...reading, timeMs: reading.timeMs + 1000 }]);
  expect(decode({ topic, payload, arrivalMs: 0 }).readings).toEqual([
    reading,
    { ...reading, timeMs: reading.timeMs + 1000 },
  ]);
});

test.each([
  ["{ mqtt: a, decode: csv }", "sources.air.decode: csv: a replay publishes json or number"],
  ["{ mqtt: a, text: { a: hash } }", "sources.air.text.a: hash"],
])("%s cannot be replayed", (source, why) => {
  expect(() => sensorMessages(taskWith(source, "{device}"), "air")).toThrow(why);
});

test("a source without a topic cannot be replayed", () => {
  expect(() => sensorMessages(taskWith("{}", "{device}"), "air")).toThrow("sources.air.mqtt: missing");
});
