// Which bytes of a source's stream are in which file. Files are rotated, removed and added; positions only grow. So
// where each file begins is written down before its first line is handed on, and found again after a restart.

import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { writeDurably } from "../../../shared/storage/durable-file.js";

/** A file, and where it begins in the source's stream. */
export interface Segment {
  readonly file: string;
  /** Device and inode: what stays the same when a file is renamed. */
  readonly id: string;
  readonly start: number;
}

/** Segments kept: a position older than all of them is lost. */
const SEGMENTS_MAX = 256;

const schema = z.object({
  v: z.literal(1),
  path: z.string(),
  segments: z.array(z.object({ file: z.string(), id: z.string(), start: z.int().min(0) })),
});

/** The ledger of one source. */
export class FileLedger {
  readonly #place: string | undefined;
  readonly #path: string;
  #segments: Segment[];

  /**
   * Reads what was written for the same `path` (the owner's, wildcards and all); what is damaged or another's counts for
   * nothing. `place`: the ledger's own file, undefined when it is to be kept in memory only.
   */
  constructor({ place, path }: { readonly place: string | undefined; readonly path: string }) {
    this.#place = place;
    this.#path = path;
    this.#segments = place === undefined ? [] : readSegments(place, path);
  }

  /** The segment that holds this position; undefined when it is in none that is known. */
  find(position: number): Segment | undefined {
    return this.#segments.findLast(({ start }) => start <= position);
  }

  /** What comes next in the stream is this file. Throws `storage-failed`. */
  begin(segment: Segment): void {
    const before = this.#segments.filter(({ start }) => start < segment.start);
    this.#segments = [...before, segment].slice(-SEGMENTS_MAX);
    if (this.#place === undefined) return;
    mkdirSync(dirname(this.#place), { recursive: true });
    const content: z.infer<typeof schema> = { v: 1, path: this.#path, segments: this.#segments };
    writeDurably(this.#place, JSON.stringify(content), { mode: 0o600 });
  }
}

function readSegments(place: string, path: string): Segment[] {
  try {
    const { data } = schema.safeParse(JSON.parse(readFileSync(place, "utf8")));
    return data?.path === path ? data.segments : [];
  } catch {
    return [];
  }
}
