// Blobs that are being pulled, kept in memory: a fleet asks for the same parts of the same one or two, device after
// device.

/** A blob that has been asked for: its length, and the parts that were. */
export interface OpenBlob {
  readonly bytes: number;
  /** Nobody writes to them. */
  readonly parts: Map<number, Uint8Array>;
}

/** A round's base and the version to serve. */
const BLOBS_MAX = 2;
/** Larger blobs are read from disk every time. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024;

/** The blobs asked for last. */
export class OpenBlobs {
  /** Least recently opened first. */
  readonly #blobs = new Map<string, OpenBlob>();

  get(sha256: string): OpenBlob | undefined {
    return this.#blobs.get(sha256);
  }

  /** Makes room for a blob's parts, where another's were. */
  open(sha256: string, bytes: number): OpenBlob {
    const blob: OpenBlob = { bytes, parts: new Map() };
    if (bytes > KEPT_BYTES_MAX) return blob;
    this.#blobs.set(sha256, blob);
    if (this.#blobs.size > BLOBS_MAX) this.#blobs.delete(this.#blobs.keys().next().value!);
    return blob;
  }

  /** Blobs come and go. */
  clear(): void {
    this.#blobs.clear();
  }
}
