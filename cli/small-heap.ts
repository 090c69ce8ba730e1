// A small JavaScript heap for a process on a small machine, without limits that could end it: V8 otherwise lets garbage
// pile up by what large machines can spare.

import { setFlagsFromString } from "node:v8";
import type { SpawnWorker } from "../device/train/pool-worker.js";

/**
 * The young generation stays as small as it is now, and the old one is collected once it has grown by a tenth or 2 MB,
 * whichever is more; without `--optimize-for-size` V8 waits for 8 MB. V8 reads all three while it runs, unlike
 * `--max-semi-space-size` and its like, which come too late in a program.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=10");
  setFlagsFromString("--optimize-for-size");
}

/** Threads as `spawn` starts them, in a process whose heap stays small: V8 sets the first flag back for every thread. */
export function spawnInSmallHeap(spawn: SpawnWorker): SpawnWorker {
  return (options) => {
    const worker = spawn(options);
    worker.once("message", keepHeapSmall);
    return worker;
  };
}
