import { expect, test } from "vitest";
import { BatchInbox } from "../../../shared/inbox.js";
import { until } from "../../support/until.js";

/** An inbox of numbers that notes its batches; those below zero fail. */
function create(limits: { limit?: number; batch?: number } = {}) {
  const batches: (readonly number[])[] = [];
  const inbox = new BatchInbox<number>({
    ...{ limit: 100, batch: 100, ...limits },
    handle: async (items) => {
      batches.push(items);
      await Promise.resolve();
      return Promise.allSettled(
        items.map(async (item) => {
          if (item < 0) throw new Error(`${item}`);
        }),
      );
    },
  });
  return { inbox, batches };
}

test("what is posted together is handled together, and what comes meanwhile is handled next, in order", async () => {
  const batches: (readonly number[])[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const inbox = new BatchInbox<number>({
    ...{ limit: 10, batch: 10 },
    handle: async (items) => {
      batches.push(items);
      await held;
      return Promise.allSettled(items.map(async () => undefined));
    },
  });
  const first = [1, 2].map((item) => inbox.post(item));
  await until(() => batches.length === 1);
  const meanwhile = [3, 4].map((item) => inbox.post(item));
  release();
  await Promise.all([...first, ...meanwhile]);
  expect(batches).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("no batch is larger than the limit", async () => {
  const { inbox, batches } = create({ batch: 2 });
  await Promise.all([1, 2, 3, 4, 5].map((item) => inbox.post(item)));
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
});

test("each poster learns of its own item alone", async () => {
  const { inbox } = create();
  const outcomes = await Promise.allSettled([1, -2, 3].map((item) => inbox.post(item)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: new Error("-2") });
});

test("what fails as a whole fails for each, and the next is handled all the same", async () => {
  let isBroken = true;
  const inbox = new BatchInbox<number>({
    ...{ limit: 10, batch: 10 },
    handle: async (items) => {
      if (isBroken) throw new Error("broken");
      return Promise.allSettled(items.map(async () => undefined));
    },
  });
  const outcomes = await Promise.allSettled([1, 2].map((item) => inbox.post(item)));
  expect(outcomes).toMatchObject([{ reason: new Error("broken") }, { reason: new Error("broken") }]);
  isBroken = false;
  await expect(inbox.post(3)).resolves.toBeUndefined();
  expect(inbox.length).toBe(0);
});

test("refuses an item when it is full, naming the limit, and has room again afterwards", async () => {
  const { inbox } = create({ limit: 1 });
  const first = inbox.post(1);
  await expect(inbox.post(2)).rejects.toThrow("inbox full: 1 items, limit 1");
  await first;
  await inbox.drained();
  await expect(inbox.post(3)).resolves.toBeUndefined();
});
