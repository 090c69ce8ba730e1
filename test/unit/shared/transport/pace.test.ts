import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, Pace } from "../../../../shared/transport/pace.js";

const KEEPALIVE_MS = 8_000;

type Step =
  | { readonly type: "sample"; readonly bytes: number; readonly ackMs: number }
  | { readonly type: "lose"; readonly bytes: number }
  | { readonly type: "reconnect" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant("sample" as const),
      bytes: fc.integer({ min: 0, max: 200_000 }),
      ackMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
    }),
    fc.record({ type: fc.constant("lose" as const), bytes: fc.integer({ min: 0, max: 200_000 }) }),
    fc.constant({ type: "reconnect" as const }),
  ),
  { maxLength: 300 },
);

function take(pace: Pace, step: Step): void {
  if (step.type === "sample") pace.sample(step.bytes, step.ackMs);
  else if (step.type === "lose") pace.lose(step.bytes);
  else pace.reconnect();
}

/** Sends full windows over a link of so many bytes per second, and returns how long the last one took. */
function settle(pace: Pace, bytesPerSecond: number, windows = 60): number {
  let windowMs = 0;
  for (let i = 0; i < windows; i++) {
    const { windowBytes, chunkBytes } = pace;
    windowMs = (windowBytes / bytesPerSecond) * 1000;
    // Each chunk waits for a whole window: those of the last one before it, and itself.
    for (let sent = 0; sent < windowBytes; sent += chunkBytes) pace.sample(chunkBytes, windowMs);
  }
  return windowMs;
}

describe("a pace", () => {
  test("keeps its bounds whatever happens, and a chunk is never more than a quarter of the window", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
        for (const step of all) {
          take(pace, step);
          expect(pace.chunkBytes).toBeGreaterThanOrEqual(CHUNK_BYTES_MIN);
          expect(pace.chunkBytes).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
          expect(pace.chunkBytes * 4).toBeLessThanOrEqual(pace.windowBytes);
          expect(Number.isInteger(pace.chunkBytes)).toBe(true);
        }
      }),
    );
  });

  test("settles where a whole window takes less than a quarter of the keepalive, on any link that allows it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4096, max: 100_000_000 }), steps, (bytesPerSecond, before) => {
        const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
        for (const step of before) take(pace, step);
        expect(settle(pace, bytesPerSecond)).toBeLessThan(KEEPALIVE_MS / 4);
      }),
    );
  });

  test("uses a good part of what the link carries", () => {
    fc.assert(
      fc.property(fc.integer({ min: 32_768, max: 1_000_000 }), (bytesPerSecond) => {
        const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
        for (let i = 0; i < 10; i++) pace.reconnect();
        expect(settle(pace, bytesPerSecond)).toBeGreaterThan(
          Math.min(KEEPALIVE_MS / 20, (4 * CHUNK_BYTES_MAX * 900) / bytesPerSecond),
        );
      }),
    );
  });

  test("halves once for all that was late together, and again for what is sent after that and late too", () => {
    const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
    const { windowBytes, chunkBytes } = pace;
    for (let i = 0; i < 4; i++) pace.sample(chunkBytes, KEEPALIVE_MS);
    expect(pace.windowBytes).toBe(windowBytes / 2);
    pace.sample(pace.chunkBytes, KEEPALIVE_MS);
    expect(pace.windowBytes).toBe(windowBytes / 4);
  });

  test("halves once for a window without acknowledgements, and with every lost connection", () => {
    const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
    const { windowBytes, chunkBytes } = pace;
    for (let i = 0; i < 4; i++) pace.lose(chunkBytes);
    expect(pace.windowBytes).toBe(windowBytes / 2);
    pace.reconnect();
    pace.reconnect();
    expect(pace.windowBytes).toBe(windowBytes / 8);
  });

  test("does not grow by small messages that are answered at once", () => {
    const pace = new Pace({ keepaliveMs: KEEPALIVE_MS });
    const { windowBytes } = pace;
    for (let i = 0; i < 1000; i++) pace.sample(100, 1);
    expect(pace.windowBytes).toBeLessThan(windowBytes * 1.1);
  });

  test("stays at its maximum without a keepalive", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const pace = new Pace({ keepaliveMs: 0 });
        for (const step of all) take(pace, step);
        expect(pace.chunkBytes).toBe(CHUNK_BYTES_MAX);
      }),
    );
  });
});
