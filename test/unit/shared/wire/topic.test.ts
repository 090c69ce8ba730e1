import { expect, test } from "vitest";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { matcherOf } from "../../../../shared/transport/topic-filter.js";
import {
  deviceSubscriptions,
  downKinds,
  parseTopic,
  topics,
  upKinds,
} from "../../../../shared/wire/topic.js";

const task = "pumps" as TaskId;
const device = "pump-7" as DeviceId;

test("a topic has the levels the protocol names", () => {
  expect(topics.up(task, device, "chunk")).toBe("hw/1/pumps/up/pump-7/chunk");
  expect(topics.down(task, device, "offer")).toBe("hw/1/pumps/down/pump-7/offer");
  expect(topics.task(task)).toBe("hw/1/pumps/task");
  expect(topics.release(task)).toBe("hw/1/pumps/release");
  expect(topics.presence(task, device)).toBe("hw/1/pumps/presence/pump-7");
});

test("a device subscribes to what is sent to it and to nothing else", () => {
  const filters = deviceSubscriptions(task, device);
  const isMine = (topic: string) => filters.some((filter) => matcherOf(filter)(topic));
  for (const kind of downKinds) {
    expect(isMine(topics.down(task, device, kind))).toBe(true);
    expect(isMine(topics.down(task, "other" as DeviceId, kind))).toBe(false);
  }
  for (const kind of upKinds) expect(isMine(topics.up(task, device, kind))).toBe(false);
  expect([topics.task(task), topics.release(task)].every(isMine)).toBe(true);
});

test.each([
  "",
  "hw",
  "hw/1",
  "hw/2/pumps/task",
  "ho/1/pumps/task",
  "hw/1//task",
  "hw/1/pumps",
  "hw/1/pumps/task/",
  "hw/1/pumps/task/x",
  "hw/1/pumps/presence",
  "hw/1/pumps/presence/",
  "hw/1/pumps/presence/pump-7/",
  "hw/1/pumps/up/pump-7",
  "hw/1/pumps/up/pump-7/offer",
  "hw/1/pumps/down/pump-7/hello",
  "hw/1/pumps/up/pump-7/hello/x",
  "hw/1/pumps/up/pump 7/hello",
  "hw/1/pumps/up/+/hello",
  "/hw/1/pumps/task",
  "hw/1/pumps/up/pump-7/constructor",
])("%j is not a topic of ours", (topic) => {
  expect(parseTopic(topic)).toBeUndefined();
});
