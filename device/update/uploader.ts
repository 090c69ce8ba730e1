// Sends the chunks of one update through a bounded window: so many bytes and so many chunks without the
// broker's acknowledgement, or pings would starve behind them on a slow link.

import type { ByteRange } from "../../shared/wire/chunk.js";
import { RangeQueue } from "../../shared/wire/range-queue.js";
import type { Outgoing } from "../outgoing.js";
import type { BuiltUpdate } from "./builder.js";

/** Bounds of what is on its way at once. */
const WINDOW_CHUNKS = 4;
const WINDOW_BYTES = 256 * 1024;

/**
 * Sends `ranges` of an update's frame in chunks as large as the offer allows and the link bears at that moment; resolves when every chunk was acknowledged or given up. One that was given up
 * is not sent again: the server will name it as missing. Stops early when `signal` aborts.
 */
export async function sendChunks(
  update: BuiltUpdate,
  ranges: readonly ByteRange[],
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<void> {
  const { updateId, frame, chunkBytes } = update;
  const left = new RangeQueue(frame.length, ranges);
  const take = () => (signal.aborted ? undefined : left.take(Math.min(chunkBytes, outgoing.chunkBytes())));
  const lanes = Math.max(1, Math.min(WINDOW_CHUNKS, Math.floor(WINDOW_BYTES / chunkBytes)));
  const sendNext = async (): Promise<void> => {
    for (let chunk = take(); chunk !== undefined; chunk = take()) {
      const [offset, length] = chunk;
      const data = frame.subarray(offset, offset + length);
      await outgoing.send("chunk", { v: 1, updateId, offset, data });
    }
  };
  await Promise.all(Array.from({ length: lanes }, sendNext));
}
