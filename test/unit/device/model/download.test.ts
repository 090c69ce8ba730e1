import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Download } from "../../../../device/model/download.js";
import { randomStream } from "../../../../shared/random.js";
import { sha256Hex } from "../../../../shared/task/canonical.js";
import { Pace } from "../../../../shared/transport/pace.js";
import { ManualClock } from "../../../support/manual-clock.js";

interface Part {
  readonly offset: number;
  readonly length: number;
}

function start(blob: Uint8Array, chunkBytes = 10, pace = new Pace({ keepaliveMs: 0 })) {
  const clock = new ManualClock();
  const asked: Part[] = [];
  const done: Uint8Array[] = [];
  let corrupt = 0;
  const download = new Download({
    sha256: sha256Hex(blob),
    bytes: blob.length,
    chunkBytes,
    pace,
    clock,
    random: randomStream("s", "download"),
    get: (part) => asked.push(part),
    onDone: ({ bytes }) => done.push(bytes),
    onCorrupt: () => corrupt++,
  });
  const answer = ({ offset, length }: Part, from = blob) =>
    download.accept({
      v: 1,
      sha256: "",
      offset,
      total: blob.length,
      data: from.subarray(offset, offset + length),
    });
  return { clock, asked, done, download, answer, corrupt: () => corrupt };
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);

describe("a download", () => {
  test("is whole however answers are ordered, doubled or lost, with at most four parts asked for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 95 }),
        fc.infiniteStream(
          fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom("ok", "ok", "twice", "lost")),
        ),
        async (length, fates) => {
          const blob = bytes(length);
          const { clock, asked, done, answer } = start(blob);
          const answered = new Set<number>();
          for (let turn = 0; done.length === 0 && turn < 300; turn++) {
            if (asked.length === 0) await clock.advance(200_000);
            const open = asked.filter(({ offset }) => !answered.has(offset));
            expect(new Set(open.map(({ offset }) => offset)).size).toBeLessThanOrEqual(4);
            const [pick, fate] = fates.next().value;
            const [part] = asked.splice(pick % asked.length, 1);
            if (part === undefined || fate === "lost") continue;
            answered.add(part.offset);
            answer(part);
            if (fate === "twice") answer(part);
          }
          expect(done).toEqual([blob]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("asks again after ten seconds without an answer, then more and more slowly", async () => {
    const { clock, asked } = start(bytes(5));
    await clock.advance(9_999);
    expect(asked).toHaveLength(1);
    await clock.advance(2_002);
    expect(asked).toHaveLength(2);
    await clock.advance(19_000);
    expect(asked).toHaveLength(2);
  });

  test("asks again at once when the connection is new", () => {
    const { asked, download } = start(bytes(25));
    download.askAgain();
    expect(asked.map(({ offset }) => offset)).toEqual([0, 10, 20, 0, 10, 20]);
  });

  test("takes only parts it asked for, as long as it asked for", () => {
    const { done, download } = start(bytes(5));
    download.accept({ v: 1, sha256: "", offset: 0, total: 6, data: bytes(5) });
    download.accept({ v: 1, sha256: "", offset: 0, total: 5, data: bytes(4) });
    download.accept({ v: 1, sha256: "", offset: 3, total: 5, data: bytes(2) });
    expect(done).toEqual([]);
  });

  test("has no more bytes asked for than the pace allows, and asks for shorter parts on a slower link", () => {
    const pace = new Pace({ keepaliveMs: 1000 });
    for (let i = 0; i < 3; i++) pace.reconnect();
    const { asked, answer } = start(bytes(100_000), 131_072, pace);
    expect(pace.chunkBytes).toBe(8192);
    expect(asked.map(({ length }) => length)).toEqual([8192, 8192, 8192, 8192]);
    pace.reconnect();
    answer(asked[0]!);
    // What is on its way is more than the window by now.
    expect(asked).toHaveLength(4);
    answer(asked[1]!);
    answer(asked[2]!);
    expect(asked.slice(4).map(({ length }) => length <= 8192 / 2 + 1024)).toEqual([true, true]);
  });

  test("asks for less when an answer does not come, and takes the longer one that comes after all", async () => {
    const pace = new Pace({ keepaliveMs: 8000 });
    const { clock, asked, done, answer } = start(bytes(60_000), 65_536, pace);
    expect(asked).toEqual([{ sha256: expect.any(String), offset: 0, length: 60_000 }]);
    await clock.advance(12_001);
    expect(asked.slice(1).map(({ offset, length }) => [offset, length])).toEqual([[0, 32_768]]);
    answer(asked[0]!);
    answer(asked[2]!);
    expect(asked.slice(2).map(({ offset, length }) => [offset, length])).toEqual([[32_768, 27_232]]);
    expect(done).toEqual([bytes(60_000)]);
  });

  test("that has the wrong hash is dropped whole and fetched again, later", async () => {
    const { clock, asked, done, answer, corrupt } = start(bytes(5));
    answer(asked[0]!, new Uint8Array(5));
    expect(corrupt()).toBe(1);
    expect(asked).toHaveLength(1);
    await clock.advance(15_000);
    expect(asked).toHaveLength(2);
    answer(asked[1]!);
    expect(done).toEqual([bytes(5)]);
  });

  test("that was cancelled asks for nothing more", async () => {
    const { clock, asked, download } = start(bytes(95));
    download.cancel();
    await clock.advance(600_000);
    expect(asked).toHaveLength(4);
    expect(clock.pending).toBe(0);
  });
});
