// The browser's time, for the whole dashboard.

/** Milliseconds since the Unix epoch, by this machine. */
export function now(): number {
  return Date.now();
}

/** Runs `action` once; the returned function cancels it. */
export function after(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs);
  return () => clearTimeout(timer);
}
