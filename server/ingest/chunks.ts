// Where the bytes of uploads lie until their round ends: in the database, or in files beside it.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { ByteRange } from "../../shared/wire/chunk.js";

/** Names an upload. */
export interface UploadKey {
  readonly device: DeviceId;
  readonly updateId: UpdateId;
}

/** How much of an upload has arrived. */
export interface Arrived {
  readonly received: number;
  readonly chunks: number;
}

/** Bytes of announced uploads. Chunks that overlap are refused before they come here. */
export interface Chunks {
  arrived(upload: UploadKey): Arrived;
  /** What has arrived, ascending; ranges that touch may have become one. */
  ranges(upload: UploadKey): readonly ByteRange[];
  /** True when a byte of [offset, offset + length) has arrived. */
  overlaps(upload: UploadKey, offset: number, length: number): boolean;
  /** Keeps a chunk: it outlives this process, but maybe not a power cut. */
  add(upload: UploadKey, offset: number, data: Uint8Array): void;
  /** Fills `target` with the upload from its first byte; all of it must have arrived. */
  read(upload: UploadKey, target: Uint8Array): void;
  /** The file that holds the upload from its first byte, if a file does. */
  pathOf(upload: UploadKey): string | undefined;
  /** Resolves when what had arrived outlives a power cut, once `record` was part of a committed transaction. */
  sync(upload: UploadKey): Promise<void>;
  /** Uploads of which something would not outlive a power cut yet. */
  unsynced(): readonly UploadKey[];
  /** Part of a transaction. */
  record(upload: UploadKey): void;
  /** After a transaction that may have deleted uploads: their bytes go too. */
  sweep(): void;
  /** Lets go of what is open. Stores nothing. */
  close(): void;
}
