// What a part of the pipeline remembers, brought to disk and back: a device that was killed goes on where it was.

import { Packr } from "msgpackr";

/**
 * State as msgpack carries it: null, numbers (NaN and infinities included), text, booleans, typed arrays, and lists
 * and maps of these. Only the part that made it knows its shape.
 */
export type Saved = unknown;

/** A part whose later output depends on what it has seen. */
export interface Stateful {
  /** All that later output depends on, to the bit. It is encoded before anything else is pushed, so nothing is copied. */
  save(): Saved;
  /** Takes up what `save` of a part made from the same parameters gave; called at most once, before anything else. */
  restore(saved: Saved): void;
}

const packr = new Packr({ moreTypes: true, useRecords: false, encodeUndefinedAsNil: false });

/** State as bytes. */
export function encodeState(saved: Saved): Uint8Array {
  return packr.pack(saved);
}

/** What `encodeState` was given. The bytes must be whole and our own: throws on anything else. */
export function decodeState(bytes: Uint8Array): Saved {
  return packr.unpack(bytes);
}
