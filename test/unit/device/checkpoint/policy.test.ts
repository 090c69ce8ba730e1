import fc from "fast-check";
import { expect, test } from "vitest";
import { isWorthCheckpoint, type Since } from "../../../../device/checkpoint/policy.js";

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

test.each<[string, Since, number, boolean]>([
  ["nothing has come", { messages: 0, bytes: 0, ms: 100 * MINUTE_MS }, 100, false],
  ["little has come to a small state", { messages: 50, bytes: 5_000, ms: MINUTE_MS }, 100, false],
  ["128 KiB have come to a small state", { messages: 1_000, bytes: 128 * 1024, ms: MINUTE_MS }, 100, true],
  ["as much as a large state has come, just now", { messages: 9_999, bytes: MIB, ms: MINUTE_MS }, MIB, false],
  [
    "as much as a large state has come, in ten minutes",
    { messages: 9, bytes: MIB, ms: 10 * MINUTE_MS },
    MIB,
    true,
  ],
  [
    "as much as a large state has come, in 20,000 messages",
    { messages: 20_000, bytes: MIB, ms: 0 },
    MIB,
    true,
  ],
  [
    "200,000 short messages have come to a huge state",
    { messages: 200_000, bytes: MIB, ms: 0 },
    64 * MIB,
    true,
  ],
])("when %s", (_, since, stateBytes, expected) => {
  expect(isWorthCheckpoint(since, stateBytes)).toBe(expected);
});

test("checkpoints never cost more than the log they spare, but for one in 200,000 messages", () => {
  const stream = fc.record({
    messageBytes: fc.integer({ min: 1, max: 5_000 }),
    everyMs: fc.integer({ min: 1, max: 60_000 }),
  });
  fc.assert(
    fc.property(
      stream,
      fc.integer({ min: 16 * 1024, max: 64 * MIB }),
      ({ messageBytes, everyMs }, stateBytes) => {
        let messages = 0;
        const since = () => ({ messages, bytes: messages * messageBytes, ms: messages * everyMs });
        // In steps, since only the first time counts.
        while (!isWorthCheckpoint(since(), stateBytes)) messages += 10;
        expect(messages).toBeLessThanOrEqual(200_000);
        if (messages < 200_000) expect(stateBytes).toBeLessThanOrEqual(since().bytes);
      },
    ),
    { numRuns: 30 },
  );
});
