import { describe, expect, test } from "vitest";
import type { Outgoing } from "../../../../device/outgoing.js";
import type { BuiltUpdate } from "../../../../device/update/builder.js";
import { sendChunks } from "../../../../device/update/uploader.js";
import { systemClock } from "../../../../shared/clock.js";
import type { UpdateId } from "../../../../shared/id.js";

function update(bytes: number, chunkBytes: number): BuiltUpdate {
  return {
    updateId: "u" as UpdateId,
    round: 1,
    kind: "train",
    baseVersion: 1,
    sha256: "",
    examples: 1,
    chunkBytes,
    frame: Uint8Array.from({ length: bytes }, (_, i) => i % 251),
  };
}

/** A link on which nothing is acknowledged before it is told so. */
function slowLink() {
  const open: { offset: number; data: Uint8Array; acknowledge: (isAcknowledged: boolean) => void }[] = [];
  const sent: { offset: number; data: Uint8Array }[] = [];
  const send = (_kind: string, { offset, data }: { offset: number; data: Uint8Array }) =>
    new Promise<boolean>((acknowledge) => {
      sent.push({ offset, data });
      open.push({ offset, data, acknowledge });
    });
  const link = { chunkBytes: Number.POSITIVE_INFINITY };
  const outgoing = { send, chunkBytes: () => link.chunkBytes } as unknown as Outgoing;
  return { open, sent, link, outgoing };
}

const whole = (bytes: number) => [[0, bytes]] as const;

describe("sending chunks", () => {
  test("keeps at most four of them without an acknowledgement, and sends all", async () => {
    const { open, sent, outgoing } = slowLink();
    const done = sendChunks(update(10_000, 1024), whole(10_000), outgoing, new AbortController().signal);
    let most = 0;
    while (open.length > 0) {
      most = Math.max(most, open.length);
      open.shift()!.acknowledge(true);
      await systemClock.turn();
    }
    await done;
    expect(most).toBe(4);
    expect(Buffer.concat(sent.map(({ data }) => data))).toEqual(Buffer.from(update(10_000, 1024).frame));
  });

  test("keeps at most 256 KiB of them without an acknowledgement", async () => {
    const { open, outgoing } = slowLink();
    const size = 10 * 128 * 1024;
    void sendChunks(update(size, 128 * 1024), whole(size), outgoing, new AbortController().signal);
    await systemClock.turn();
    expect(open).toHaveLength(2);
  });

  test("goes on after one that was not acknowledged: the server will ask for it", async () => {
    const { open, sent, outgoing } = slowLink();
    const done = sendChunks(update(5000, 1024), whole(5000), outgoing, new AbortController().signal);
    while (open.length > 0) {
      open.shift()!.acknowledge(false);
      await systemClock.turn();
    }
    await done;
    expect(sent).toHaveLength(5);
  });

  test("stops when it is told to", async () => {
    const { open, sent, outgoing } = slowLink();
    const stop = new AbortController();
    const done = sendChunks(update(10_000, 1024), whole(10_000), outgoing, stop.signal);
    stop.abort();
    for (const { acknowledge } of open.splice(0)) acknowledge(true);
    await done;
    expect(sent).toHaveLength(4);
  });

  test("cuts each chunk to what the link bears when it is sent", async () => {
    const { open, sent, link, outgoing } = slowLink();
    const done = sendChunks(update(10_000, 2048), whole(10_000), outgoing, new AbortController().signal);
    link.chunkBytes = 1024;
    while (open.length > 0) {
      open.shift()!.acknowledge(true);
      await systemClock.turn();
    }
    await done;
    expect(sent.map(({ data }) => data.length)).toEqual([2048, 2048, 2048, 2048, 1024, 784]);
    expect(Buffer.concat(sent.map(({ data }) => data))).toEqual(Buffer.from(update(10_000, 2048).frame));
  });

  test("sends only the ranges asked for", async () => {
    const { open, sent, outgoing } = slowLink();
    const ranges = [
      [1024, 100],
      [4000, 2000],
    ] as const;
    const done = sendChunks(update(5000, 1024), ranges, outgoing, new AbortController().signal);
    while (open.length > 0) {
      open.shift()!.acknowledge(true);
      await systemClock.turn();
    }
    await done;
    expect(sent.map(({ offset, data }) => [offset, data.length])).toEqual([
      [1024, 100],
      [4000, 1000],
    ]);
  });
});
