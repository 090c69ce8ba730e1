import { expect, test } from "vitest";
import { Replies } from "../../../../device/ingest/replies.js";
import { Counters } from "../../../../shared/counters.js";
import { ManualClock } from "../../../support/manual-clock.js";

function lab(publish: (topic: string) => Promise<void> = async () => undefined) {
  const clock = new ManualClock();
  const counters = new Counters();
  const sent: string[] = [];
  const replies = new Replies({
    ...{ clock, counters },
    publish: async (topic) => {
      sent.push(topic);
      await publish(topic);
    },
  });
  return {
    clock,
    counters,
    sent,
    send: (topic: string) => replies.send({ topic, payload: new Uint8Array() }),
  };
}

test("one reply per topic and minute, each topic by itself", async () => {
  const { clock, counters, sent, send } = lab();
  for (const topic of ["a", "a", "b", "a"]) await send(topic);
  expect(sent).toEqual(["a", "b"]);
  await clock.advance(59_999);
  await send("a");
  await clock.advance(1);
  await send("a");
  expect(sent).toEqual(["a", "b", "a"]);
  expect(counters.toJSON()).toEqual({ "telemetry.reply-held-back": 3, "telemetry.reply-sent": 3 });
});

test("one that could not be sent may be sent again with the next message", async () => {
  let isDown = true;
  const { counters, sent, send } = lab(async () => {
    if (isDown) throw new Error("no connection");
  });
  await send("a");
  isDown = false;
  await send("a");
  expect(sent).toEqual(["a", "a"]);
  expect(counters.toJSON()).toEqual({ "telemetry.reply-failed": 1, "telemetry.reply-sent": 1 });
});

test("what is no topic to publish to is held back", async () => {
  const { sent, send } = lab();
  for (const topic of ["a/+", "#", ""]) await send(topic);
  expect(sent).toEqual([]);
});
