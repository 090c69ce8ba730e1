import { expect, test } from "vitest";
import { EventQueue } from "../../../../server/round/event-queue.js";

/** A queue of numbers that notes its batches; odd ones below zero fail. */
function create(limits: { limit?: number; batch?: number } = {}) {
  const batches: (readonly number[])[] = [];
  const queue = new EventQueue<number>({
    ...{ limit: 100, batch: 100, ...limits },
    handle: async (items) => {
      batches.push(items);
      await Promise.resolve();
      return items.map((item) => (item < 0 ? new Error(`${item}`) : undefined));
    },
  });
  return { queue, batches };
}

test("what is posted together is handled together, and what comes meanwhile is handled next, in order", async () => {
  const { queue, batches } = create();
  const first = [1, 2].map((item) => queue.post(item));
  const second = first[0]!.then(() => queue.post(5));
  await Promise.resolve();
  await Promise.resolve();
  const meanwhile = [3, 4].map((item) => queue.post(item));
  await Promise.all([...first, ...meanwhile, second]);
  expect(batches.flat()).toEqual([1, 2, 3, 4, 5]);
  expect(batches.slice(0, 2)).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("no batch is larger than the limit", async () => {
  const { queue, batches } = create({ batch: 2 });
  await Promise.all([1, 2, 3, 4, 5].map((item) => queue.post(item)));
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
});

test("each poster learns of its own item alone", async () => {
  const { queue } = create();
  const outcomes = await Promise.allSettled([1, -2, 3].map((item) => queue.post(item)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: new Error("-2") });
});

test("refuses an item when it is full, naming the limit, and has room again afterwards", async () => {
  const { queue } = create({ limit: 1 });
  const first = queue.post(1);
  await expect(queue.post(2)).rejects.toThrow("inbox full: 1 items, limit 1");
  await first;
  await queue.drained();
  await expect(queue.post(3)).resolves.toBeUndefined();
});
