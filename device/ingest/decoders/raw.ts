// A message kept beside its readings, for a source that sets readings aside with what they came in.

import type { SourceSpec } from "../../../shared/task/task.js";

/** What to add to each reading of a message: its bytes, copied, where the source may set a reading aside. */
export function createRawKeeper({ late, checks }: SourceSpec): (payload: Uint8Array) => { raw?: Uint8Array } {
  const isKept = late.then === "side" || Object.values(checks).some(({ onFail }) => onFail === "quarantine");
  // A copy, because a payload is part of a packet many times its size, which would stay in memory with it.
  return isKept ? (payload) => ({ raw: new Uint8Array(payload) }) : () => NOTHING;
}

const NOTHING = {};
