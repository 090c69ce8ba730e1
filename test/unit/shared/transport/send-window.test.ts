import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pace } from "../../../../shared/transport/pace.js";
import { type Outbound, SendWindow } from "../../../../shared/transport/send-window.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { outcomeOf } from "../../../support/transport-ends.js";

const ACK_TIMEOUT_MS = 30_000;

function start(pace = new Pace({ keepaliveMs: 60_000 })) {
  const clock = new ManualClock();
  const sent: { message: Outbound; acknowledge: () => void; isForgotten: boolean }[] = [];
  const window = new SendWindow({
    pace,
    clock,
    ackTimeoutMs: ACK_TIMEOUT_MS,
    send(message, acknowledge) {
      const record = { message, acknowledge, isForgotten: false };
      sent.push(record);
      return () => {
        record.isForgotten = true;
      };
    },
  });
  const post = (bytes: number, topic = "t") =>
    outcomeOf(window.post({ topic, payload: Buffer.alloc(bytes), retain: false }));
  return { clock, pace, sent, window, post };
}

describe("a send window", () => {
  test("never has more on its way than the pace allows, but one message in any case, and sends all in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 40 }), async (sizes) => {
        const { pace, sent, post } = start();
        const outcomes = sizes.map((bytes, i) => post(bytes, `${i}`));
        for (let acknowledged = 0; acknowledged < sent.length; acknowledged++) {
          const onTheWay = sent.slice(acknowledged);
          const bytes = onTheWay.reduce((sum, { message }) => sum + message.payload.length, 0);
          expect(onTheWay.length <= pace.windowMessages).toBe(true);
          expect(onTheWay.length === 1 || bytes <= pace.windowBytes).toBe(true);
          sent[acknowledged]?.acknowledge();
        }
        await Promise.resolve();
        expect(sent.map(({ message }) => message.topic)).toEqual(sizes.map((_, i) => `${i}`));
        expect(outcomes.every(({ isSettled, error }) => isSettled && error === undefined)).toBe(true);
      }),
    );
  });

  test("gives up what is not acknowledged in time, forgets it and goes on with the next", async () => {
    const { clock, sent, post } = start();
    const late = post(256 * 1024);
    const next = post(256 * 1024);
    expect(sent).toHaveLength(1);
    await clock.advance(ACK_TIMEOUT_MS);
    expect(late.error).toMatchObject({ code: "transport-timeout" });
    expect(sent[0]?.isForgotten).toBe(true);
    expect(sent).toHaveLength(2);
    sent[1]?.acknowledge();
    await clock.advance(0);
    expect(next).toEqual({ isSettled: true, error: undefined });
    expect(clock.pending).toBe(0);
  });

  test("waits longer on a link known to be slow", async () => {
    const { clock, pace, post } = start();
    pace.sample(1000, ACK_TIMEOUT_MS);
    const slow = post(1000);
    await clock.advance(4 * ACK_TIMEOUT_MS - 1);
    expect(slow.isSettled).toBe(false);
    await clock.advance(1);
    expect(slow.error).toMatchObject({ code: "transport-timeout" });
  });

  test("rejects everything in flight and waiting when it is closed, and sends nothing any more", async () => {
    const { clock, sent, window, post } = start();
    const outcomes = [post(200_000), post(200_000), post(200_000)];
    window.close();
    await clock.advance(0);
    outcomes.push(post(1));
    await clock.advance(0);
    for (const { error } of outcomes) expect(error).toMatchObject({ code: "transport-closed" });
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test("refuses at once what would not fit into its queue", async () => {
    const { clock, post } = start();
    const bytes = 4 * 1024 * 1024;
    const outcomes = Array.from({ length: 10 }, () => post(bytes));
    await clock.advance(0);
    const refused = outcomes.filter(({ isSettled }) => isSettled);
    // One is on its way; of 32 MiB that may wait, seven fit with their topics.
    expect(refused).toHaveLength(2);
    expect(refused[0]?.error).toMatchObject({ code: "transport-timeout" });
  });
});
