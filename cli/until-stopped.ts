// How a program that serves is stopped: politely, or twice.

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** What a shell reports of a process that was interrupted. */
const INTERRUPTED = 130;

/**
 * Resolves with the first SIGTERM or SIGINT from now on; a second one ends the process at once. Ask before anything
 * starts: until then a signal ends the process as it is.
 */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isStopping) process.exit(INTERRUPTED);
        isStopping = true;
        resolve(signal);
      });
    }
  });
}
