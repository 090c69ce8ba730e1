// Our own mistakes crash loudly: nothing here is for input from a peer or the world.

/** Throws when `condition` is false: a bug in Headwater, never a user's or a peer's fault. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Ends an exhaustive switch: the compiler rejects the call when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
