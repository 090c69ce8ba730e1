// Chunks as files, one per upload: written once and in place, where a database would write them twice and page by page.
//
// What has arrived is known in memory, and in the database as far as it would survive a power cut: a range is recorded
// there only after `fdatasync` had its bytes on the disk. So whatever happens,
// - what the database says has arrived can be read;
// - a receipt is given in a transaction that records all ranges of the upload, after they were synced: an accepted
//   update survives a power cut like its receipt does;
// - chunks that were acknowledged and not recorded are forgotten by a crash. The device is told by `missing`, which
//   is why PUBACK need not promise more;
// - a file without an announcement (a crash between a commit and the sweep) is swept at the next start, one whose
//   ranges are forgotten is written over.

import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../shared/storage/port.js";
import type { ByteRange } from "../../shared/wire/chunk.js";
import type { Arrived, Chunks, UploadKey } from "./chunks.js";
import { attemptFile, OpenFiles, readWhole, storageError, writeWhole } from "./files.js";
import { RangeSet } from "./range-set.js";
import { isSpare, SpareFiles } from "./spare-files.js";

/** Files open at once: a large cohort that sends at the same time. */
const OPEN_MAX = 256;

/** An upload of which something has arrived. */
interface Arrival {
  readonly upload: UploadKey;
  arrived: RangeSet;
  /** What survives a power cut once it is recorded. */
  synced: RangeSet;
  chunks: number;
}

/** Files in a folder of their own. */
export class ChunkFiles implements Chunks {
  readonly #database: Database;
  readonly #folder: string;
  readonly #open = new OpenFiles(OPEN_MAX);
  readonly #spares: SpareFiles;
  readonly #arrivals = new Map<string, Arrival>();
  /** Names of files that exist. */
  readonly #names: Set<string>;

  /** Creates the folder if need be, and deletes files of uploads that the database does not know. */
  constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
    this.#spares = new SpareFiles(folder);
    const names = attemptFile(folder, () => {
      mkdirSync(folder, { recursive: true });
      return readdirSync(folder);
    });
    this.#spares.clear(names);
    this.#names = new Set(names.filter((name) => !isSpare(name)));
    this.sweep();
  }

  arrived(upload: UploadKey): Arrived {
    const { arrived, chunks } = this.#arrivalOf(upload);
    return { received: arrived.total, chunks };
  }

  ranges(upload: UploadKey): readonly ByteRange[] {
    return this.#arrivalOf(upload).arrived.ranges;
  }

  overlaps(upload: UploadKey, offset: number, length: number): boolean {
    return this.#arrivalOf(upload).arrived.overlaps(offset, length);
  }

  add(upload: UploadKey, offset: number, data: Uint8Array): void {
    const arrival = this.#arrivalOf(upload);
    const name = nameOf(upload);
    const path = join(this.#folder, name);
    attemptFile(path, () => {
      if (!this.#names.has(name)) this.#spares.take(path);
      this.#names.add(name);
      writeWhole(this.#open.use(path), data, offset);
    });
    arrival.arrived.add(offset, data.length);
    arrival.chunks++;
  }

  read(upload: UploadKey, target: Uint8Array): void {
    const path = this.pathOf(upload);
    attemptFile(path, () => readWhole(this.#open.use(path), target));
  }

  pathOf(upload: UploadKey): string {
    return join(this.#folder, nameOf(upload));
  }

  async sync(upload: UploadKey): Promise<void> {
    const arrival = this.#arrivalOf(upload);
    const before = arrival.arrived.copy();
    if (before.total === arrival.synced.total) return;
    const path = this.pathOf(upload);
    try {
      await flush(path, "r+");
      // The name of a new file is the folder's to keep.
      if (arrival.synced.total === 0) await flush(this.#folder, "r");
    } catch (error) {
      // Dropped meanwhile, with its file: nothing is left to keep.
      if (this.#arrivals.get(nameOf(upload)) !== arrival) return;
      // After a failed sync the system may have thrown the bytes away, and a later one may claim success.
      arrival.arrived = arrival.synced.copy();
      throw storageError(path, error);
    }
    arrival.synced = before;
  }

  unsynced(): readonly UploadKey[] {
    const arrivals = [...this.#arrivals.values()];
    return arrivals.filter(({ arrived, synced }) => arrived.total > synced.total).map(({ upload }) => upload);
  }

  record({ device, updateId }: UploadKey): void {
    const { synced } = this.#arrivalOf({ device, updateId });
    const isThere = this.#database.run(
      "UPDATE uploads SET received = ?, chunks = ? WHERE device = ? AND update_id = ?",
      ...[synced.total, synced.ranges.length, device, updateId],
    );
    if (isThere === 0) return;
    this.#database.run("DELETE FROM chunks WHERE device = ? AND update_id = ?", device, updateId);
    for (const [start, length] of synced.ranges) {
      this.#database.run(
        "INSERT INTO chunks (device, update_id, start, length, data) VALUES (?, ?, ?, ?, x'')",
        ...[device, updateId, start, length],
      );
    }
  }

  sweep(): void {
    const rows = this.#database.all("SELECT device || '.' || update_id AS name FROM uploads");
    const wanted = new Set(rows.map(({ name }) => String(name)));
    for (const name of this.#arrivals.keys()) if (!wanted.has(name)) this.#arrivals.delete(name);
    for (const name of this.#names) if (!wanted.has(name)) this.#remove(name);
  }

  close(): void {
    this.#open.closeAll();
  }

  /** Never throws: the database has decided already, and what stays is swept the next time. */
  #remove(name: string): void {
    const path = join(this.#folder, name);
    try {
      this.#open.close(path);
      if (existsSync(path)) this.#spares.give(path, statSync(path).size);
      this.#names.delete(name);
    } catch {}
  }

  #arrivalOf(upload: UploadKey): Arrival {
    const name = nameOf(upload);
    let arrival = this.#arrivals.get(name);
    if (arrival === undefined) {
      const recorded = this.#recorded(upload);
      const { device, updateId } = upload;
      arrival = {
        upload: { device, updateId },
        ...{ arrived: recorded, synced: recorded.copy(), chunks: recorded.ranges.length },
      };
      this.#arrivals.set(name, arrival);
    }
    return arrival;
  }

  #recorded({ device, updateId }: UploadKey): RangeSet {
    const set = new RangeSet();
    // Rows with bytes of their own are from before there were files: they are asked for again.
    const sql =
      "SELECT start, length FROM chunks WHERE device = ? AND update_id = ? AND data = x'' ORDER BY start";
    for (const { start, length } of this.#database.all(sql, device, updateId)) {
      set.add(Number(start), Number(length));
    }
    return set;
  }
}

/** Both ids are single topic levels: nothing in them means anything to a file system. */
function nameOf({ device, updateId }: UploadKey): string {
  return `${device}.${updateId}`;
}

async function flush(path: string, flags: "r" | "r+"): Promise<void> {
  // A descriptor of its own, since the shared one may be closed for another file meanwhile.
  const file = await open(path, flags);
  try {
    await (flags === "r" ? file.sync() : file.datasync());
  } finally {
    await file.close();
  }
}
