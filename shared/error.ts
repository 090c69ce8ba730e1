// Faults of the world (disk, network, files, configuration). A peer's fault is a value, not an exception.

/** What went wrong, as a stable machine-readable word. */
export type ErrorCode =
  | "task-invalid"
  | "data-invalid"
  | "data-missing"
  | "storage-full"
  | "storage-failed"
  | "storage-too-new"
  | "folder-locked"
  | "config-invalid"
  | "address-unusable"
  | "model-unsupported"
  | "engine-unavailable"
  | "training-failed"
  | "transport-closed"
  | "transport-timeout"
  | "signature-invalid"
  | "out-of-memory"
  | "aborted";

/** An expected failure: its message names the thing, the value and the limit; `code` says which kind. */
export class HeadwaterError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HeadwaterError";
    this.code = code;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
