import { afterEach, expect, test } from "vitest";
import type { RaisedAlert } from "../../../../server/alert/alert.js";
import { Delivery, type Sent } from "../../../../server/alert/delivery.js";
import { silentLogger } from "../../../../shared/log.js";
import { randomStream } from "../../../../shared/random.js";
import { taskId } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";

const HOUR_MS = 3_600_000;
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function alertOf(subject: string): RaisedAlert {
  return {
    ...{ kind: "quarantined", severity: "warning", subject, text: `about ${subject}`, details: {} },
    ...{ task: taskId("pumps"), raisedMs: 0 },
  };
}

/** A delivery whose way answers as `answer` says, with what it was asked to send. */
function deliver(answer: (alert: RaisedAlert, signal: AbortSignal) => Promise<Sent>) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const delivery = new Delivery({
    way: {
      ...{ name: "webhook", place: "here", close: async () => undefined },
      send: (alert, signal) => {
        asked.push(alert.subject);
        return answer(alert, signal);
      },
    },
    ...{ clock, random: randomStream("test", "alerts"), logger: silentLogger },
  });
  closers.push(() => delivery.close());
  return { clock, asked, delivery };
}

test("what fails is tried again with growing waits until it is taken, and what follows waits its turn", async () => {
  let failures = 5;
  const { clock, asked, delivery } = deliver(async () => {
    if (failures-- > 0) throw new Error("no route");
    return { ok: true };
  });
  delivery.post(alertOf("first"));
  delivery.post(alertOf("second"));
  await clock.advance(999);
  expect(asked).toEqual(["first"]);
  await clock.until(() => asked.includes("second"));
  await clock.advance(0);
  expect(asked).toEqual([...Array.from({ length: 6 }, () => "first"), "second"]);
  expect(clock.elapsed() - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(1000 * (1 + 2 + 4 + 8 + 16));
  expect(delivery.counts.toJSON()).toEqual({ dropped: 0, failed: 0, sent: 2 });
});

test("what is refused is not asked again", async () => {
  const { clock, asked, delivery } = deliver(async () => ({ ok: false, refusal: "it answered 404" }));
  delivery.post(alertOf("a"));
  delivery.post(alertOf("b"));
  await clock.advance(HOUR_MS);
  expect(asked).toEqual(["a", "b"]);
  expect(delivery.counts.get("failed")).toBe(2);
});

test("an answer that does not come is waited for ten seconds", async () => {
  let aborted = 0;
  const { clock, asked, delivery } = deliver(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted++;
          reject(signal.reason);
        });
      }),
  );
  delivery.post(alertOf("a"));
  await clock.advance(10_000);
  expect(aborted).toBe(1);
  await clock.advance(2_000);
  expect(asked).toHaveLength(2);
});

test("an alert is given up after six hours, and the next one has its own", async () => {
  const { clock, delivery } = deliver(async () => {
    throw new Error("no route");
  });
  delivery.post(alertOf("old"));
  await clock.advance(5 * HOUR_MS);
  delivery.post(alertOf("new"));
  await clock.advance(2 * HOUR_MS);
  expect(delivery.counts.get("failed")).toBe(1);
  await clock.advance(6 * HOUR_MS);
  expect(delivery.counts.get("failed")).toBe(2);
  expect(clock.pending).toBe(0);
});

test("of more than a hundred that wait the oldest make room, and that is counted", async () => {
  let isDown = true;
  const { clock, asked, delivery } = deliver(async () => {
    if (isDown) throw new Error("no route");
    return { ok: true };
  });
  for (let at = 0; at <= 105; at++) delivery.post(alertOf(String(at)));
  isDown = false;
  await clock.advance(HOUR_MS);
  expect(delivery.counts.toJSON()).toEqual({ dropped: 5, failed: 0, sent: 101 });
  expect(asked.filter((subject) => ["1", "5", "6"].includes(subject))).toEqual(["6"]);
});

test("once closed it sends nothing more and leaves no timer", async () => {
  const { clock, asked, delivery } = deliver(async () => {
    throw new Error("no route");
  });
  delivery.post(alertOf("a"));
  await clock.advance(0);
  await delivery.close();
  await clock.advance(HOUR_MS);
  expect(asked).toHaveLength(1);
  expect(clock.pending).toBe(0);
});
