import { describe, expect, test } from "vitest";
import { Inbox } from "../../../shared/inbox.js";

describe("an inbox", () => {
  test("handles items in order, one at a time", async () => {
    const trace: string[] = [];
    const inbox = new Inbox<number>({
      limit: 10,
      handle: async (item) => {
        trace.push(`begin ${item}`);
        await Promise.resolve();
        trace.push(`end ${item}`);
      },
    });
    await Promise.all([inbox.post(1), inbox.post(2)]);
    expect(trace).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  test("tells the poster what its item's handler threw, and goes on with the next", async () => {
    const inbox = new Inbox<number>({
      limit: 10,
      handle: (item) => (item === 1 ? Promise.reject(new Error("one")) : Promise.resolve()),
    });
    const first = inbox.post(1);
    const second = inbox.post(2);
    await expect(first).rejects.toThrow("one");
    await expect(second).resolves.toBeUndefined();
  });

  test("refuses an item when it is full, naming the limit, and has room again afterwards", async () => {
    const inbox = new Inbox<number>({ limit: 1, handle: () => Promise.resolve() });
    const first = inbox.post(1);
    await expect(inbox.post(2)).rejects.toThrow("inbox full: 1 items, limit 1");
    await first;
    await inbox.drained();
    await expect(inbox.post(3)).resolves.toBeUndefined();
    expect(inbox.length).toBe(0);
  });
});
