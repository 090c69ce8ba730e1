// A place in what came in: which messages have gone through the pipeline, and which have not.

/**
 * Everything up to here has gone through the pipeline and nothing after. A device's messages are numbered by its raw
 * log; where a single file is all it has, the file is its own log, and the place is one in the file.
 */
export interface Mark {
  /** Number of a message in the raw log; 0 before the first. */
  readonly seq: number;
  /** The file that is read instead; empty when there is none. */
  readonly file: string;
  /** Bytes of that file. */
  readonly position: number;
}

/** Before the first message. */
export const START: Mark = { seq: 0, file: "", position: 0 };

/** True when `mark` is no further than `other`, in the same file if there is one. */
export function isWithin(mark: Mark, other: Mark): boolean {
  return mark.file === other.file && mark.seq <= other.seq && mark.position <= other.position;
}
