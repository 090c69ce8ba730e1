import { expect, test } from "vitest";
import { Counters } from "../../../../shared/counters.js";
import { randomStream } from "../../../../shared/random.js";
import type { MemoryLink } from "../../../../shared/transport/memory-link.js";
import type { Message } from "../../../../shared/transport/port.js";
import { topics } from "../../../../shared/wire/topic.js";
import { tapLink } from "../../../../simulator/adversary/tap.js";
import { deviceId, taskId } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";

const id = deviceId("pump-1");
const payload = new Uint8Array([1, 2, 3]);

/** What a device hears through a tap that garbles everything, and how often its connection breaks. */
async function hearThrough({ topic, isActive }: { readonly topic: string; readonly isActive: boolean }) {
  const clock = new ManualClock();
  const heard: Message[] = [];
  let breaks = 0;
  let deliver: (message: Message) => void = () => undefined;
  const link: Pick<MemoryLink, "open"> = {
    open: ({ onMessage }) => {
      deliver = onMessage;
    },
  };
  const tap = tapLink(link as MemoryLink, {
    ...{ clock, random: randomStream("tap", "test"), counters: new Counters(), replay: 0, corrupt: 1 },
    isActive: () => isActive,
    disconnect: () => breaks++,
  });
  tap.open({
    ...{ clientId: id, subscriptions: [], onConnected: () => undefined, onDisconnected: () => undefined },
    onMessage: (message) => heard.push(message),
  });
  deliver({ topic, payload, retained: false });
  await clock.advance(60_000);
  return { heard: heard.map((message) => [...message.payload]), breaks };
}

test.each([
  ["an announcement", topics.release(taskId("linear")), 1],
  ["the task", topics.task(taskId("linear")), 1],
  ["what can be asked for again", topics.down(taskId("linear"), id, "receipt"), 0],
] as const)("a connection that garbles %s breaks within a minute, or stays", async (_, topic, breaks) => {
  const result = await hearThrough({ topic, isActive: true });
  expect(result.heard).toHaveLength(1);
  expect(result.heard[0]).not.toEqual([...payload]);
  expect(result.breaks).toBe(breaks);
});

test("a tap that is not at work changes nothing", async () => {
  const result = await hearThrough({ topic: topics.release(taskId("linear")), isActive: false });
  expect(result).toEqual({ heard: [[...payload]], breaks: 0 });
});
