import { expect, test } from "vitest";
import { PublishQueue, type Sent } from "../../../device/publish-queue.js";
import { ManualClock } from "../../support/manual-clock.js";

function setUp(
  options: { readonly waitingMax?: number; readonly inFlightMax?: number; readonly perMinute?: number } = {},
) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const dropped: string[] = [];
  const broker = { isConnected: true, answer: (): Sent => "done" };
  const queue = new PublishQueue<string>({
    ...{ clock, waitingMax: 100, inFlightMax: 16, ...options },
    isConnected: () => broker.isConnected,
    send: async (item) => {
      sent.push(item);
      await clock.turn();
      return broker.answer();
    },
    onDropped: (reason) => dropped.push(reason),
  });
  return { clock, sent, dropped, broker, queue };
}

test("what is posted while disconnected waits, the oldest making room", () => {
  const { queue, broker, sent, dropped } = setUp({ waitingMax: 2 });
  broker.isConnected = false;
  for (const item of ["a", "b", "c"]) queue.post(item);
  expect(sent).toEqual([]);
  broker.isConnected = true;
  queue.pump();
  expect(sent).toEqual(["b", "c"]);
  expect(dropped).toEqual(["overflow"]);
});

test("no more are on their way at once than allowed", async () => {
  const { queue, clock, sent } = setUp({ inFlightMax: 2 });
  for (const item of ["a", "b", "c"]) queue.post(item);
  expect(sent).toEqual(["a", "b"]);
  await clock.advance(0);
  await clock.turn();
  expect(sent).toEqual(["a", "b", "c"]);
});

test("a newer item takes the place of one with its key that still waits", () => {
  const { queue, broker, sent, dropped } = setUp();
  broker.isConnected = false;
  queue.post("raised", "pump");
  queue.post("other", "fan");
  queue.post("cleared", "pump");
  broker.isConnected = true;
  queue.pump();
  expect(sent).toEqual(["other", "cleared"]);
  expect(dropped).toEqual(["superseded"]);
});

test("a minute's worth leaves at once, the rest at its rate", async () => {
  const { queue, clock, sent } = setUp({ perMinute: 6 });
  for (let i = 0; i < 10; i++) queue.post(`item ${i}`);
  expect(sent).toHaveLength(6);
  await clock.advance(9_999);
  expect(sent).toHaveLength(6);
  await clock.advance(1);
  expect(sent).toHaveLength(7);
  await clock.advance(60_000);
  expect(sent).toHaveLength(10);
});

test("what got lost is sent again, after a while or by the next connection", async () => {
  const { queue, clock, sent, broker } = setUp();
  broker.answer = () => "again";
  queue.post("a");
  await clock.advance(4_999);
  expect(sent).toEqual(["a"]);
  await clock.advance(1);
  await clock.turn();
  expect(sent).toEqual(["a", "a"]);
  broker.isConnected = false;
  await clock.advance(60_000);
  expect(sent).toHaveLength(2);
  broker.isConnected = true;
  broker.answer = () => "done";
  queue.pump();
  await clock.advance(60_000);
  expect(sent).toHaveLength(3);
});

test("what got lost is not sent again when something newer has its key", async () => {
  const { queue, clock, sent, broker, dropped } = setUp({ inFlightMax: 1 });
  broker.answer = () => "again";
  queue.post("raised", "pump");
  queue.post("cleared", "pump");
  broker.isConnected = false;
  await clock.advance(0);
  await clock.turn();
  broker.isConnected = true;
  broker.answer = () => "done";
  queue.pump();
  expect(sent).toEqual(["raised", "cleared"]);
  expect(dropped).toEqual(["superseded"]);
});

test("nothing leaves after the end", async () => {
  const { queue, clock, sent } = setUp({ perMinute: 1 });
  queue.post("a");
  queue.post("b");
  queue.close();
  await clock.advance(120_000);
  expect(sent).toEqual(["a"]);
  expect(clock.pending).toBe(0);
});
