// Stories for the checker: what a server would have written and said, written and said by hand.

import { serverMigrations } from "../../server/storage.js";
import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import type { Cell } from "../../shared/storage/port.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Task } from "../../shared/task/task.js";
import { encodeMessage, type Manifest, type RoundKind } from "../../shared/wire/message.js";
import { encodeModelBlob } from "../../shared/wire/model-blob.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";
import { Checker, type Watched } from "../../simulator/checker/checker.js";
import { Disk } from "../../simulator/disk.js";
import { Life } from "../../simulator/life.js";
import { taskId } from "./device-kit.js";
import { linearTask } from "./linear-task.js";

const HASH = "0".repeat(64);
const task = taskId("linear");

/** The scaler that changes nothing. */
export const identityScaler: FittedScaler = {
  offset: [0, 0],
  factor: [1, 1],
  label: { offset: 0, factor: 1 },
};

/** One federation, and the checker that watches it. Every version answers 7. */
export class Story {
  readonly journal = new Disk(serverMigrations);
  readonly checker: Checker;
  readonly status = {
    ...{ head: 0, stable: 0, sequence: 0 },
    open: undefined as object | undefined,
    trial: undefined as object | undefined,
  };
  /** Devices in trials. */
  readonly inTrial = new Set<DeviceId>();
  hasStarted = true;
  nowMs = 0;
  readonly #database = this.journal.mount(new Life());

  readonly #task: Task;

  constructor(loaded: LoadedTask = linearTask()) {
    this.#task = loaded.task;
    const story = this;
    const server = {
      disks: { journal: this.journal },
      get hasStarted() {
        return story.hasStarted;
      },
    };
    const federation = {
      party: () => server,
      server: { status: () => ({ ...this.status }) },
      clock: { now: () => this.nowMs },
    };
    this.checker = new Checker({
      federation: federation as unknown as Watched,
      task: loaded.task,
      oracle: () => 7,
      isIn: (device) => this.inTrial.has(device),
    });
  }

  get violations(): readonly string[] {
    return this.checker.violations;
  }

  write(sql: string, ...cells: readonly Cell[]): void {
    this.#database.run(sql, ...cells);
  }

  /** An event has happened, after these writes. */
  event(changes: Partial<Pick<Story, "nowMs" | "hasStarted">> = {}): void {
    Object.assign(this, changes);
    this.checker.afterEach();
  }

  /** The server says this of itself. */
  says(status: Partial<Story["status"]>): void {
    Object.assign(this.status, status);
    this.write("INSERT OR REPLACE INTO identity VALUES ('said', 'again')");
    this.event();
  }

  word(device: DeviceId, updateId: UpdateId, round: number, status: "accepted" | "rejected"): void {
    this.write(
      "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, NULL, x'00')",
      device,
      updateId,
      round,
      status,
    );
  }

  /** An update that has been accepted, with its word. */
  accept(device: DeviceId, round: number, content: Partial<UpdateHeader> & { readonly delta?: number } = {}) {
    const { delta, ...header } = content;
    const frame = frameOf(device, round, header, delta);
    const sha256 = sha256Hex(frame);
    const updateId = updateIdOf({ task, device, round, sha256 });
    const kind = header.kind ?? "train";
    const bytes = frame.length;
    this.write(
      "INSERT INTO uploads (device, update_id, round, kind, base_version, bytes, sha256, examples) VALUES (?, ?, ?, ?, 1, ?, ?, 10)",
      ...[device, updateId, round, kind, bytes, sha256],
    );
    this.write("INSERT INTO chunks VALUES (?, ?, 0, ?, ?)", device, updateId, bytes, frame);
    this.write("INSERT INTO updates VALUES (?, ?, ?, ?)", round, device, updateId, kind);
    this.word(device, updateId, round, "accepted");
    this.event();
    return updateId;
  }

  /** Rounds keep nothing. */
  forgetUpdates(): void {
    this.write("DELETE FROM updates");
  }

  version(version: number, params: readonly number[], scaler = identityScaler): void {
    const fingerprint = HASH;
    const blob = encodeModelBlob({
      params: Float32Array.from(params),
      scaler,
      fingerprint,
      modelSignature: HASH,
    });
    const sha256 = sha256Hex(blob);
    const manifest: Manifest = {
      ...{ v: 1, task, version, parent: version - 1, sha256, bytes: blob.length, fingerprint },
      ...{ modelSignature: HASH, createdMs: 0, expiresMs: 1, signature: new Uint8Array(64) },
    };
    this.write(
      "INSERT INTO versions VALUES (?, ?, ?, ?)",
      version,
      version - 1,
      sha256,
      encodeMessage(manifest),
    );
    this.write("INSERT INTO blob_parts VALUES (?, 0, ?)", sha256, blob);
  }

  opened(round: number, kind: RoundKind, openedMs: number) {
    const { deadlineMs } = this.#task.rounds;
    this.checker.onServerFact({
      ...{ type: "round-opened", round, kind, baseVersion: 1, cohort: [] },
      deadlineMs: openedMs + deadlineMs,
    });
  }

  closed(round: number, kind: RoundKind, outcome: "completed" | "abandoned", folded: [DeviceId, UpdateId][]) {
    this.checker.onServerFact({
      ...{ type: "round-closed", round, kind, outcome },
      folded: folded.map(([device, updateId]) => ({ device, updateId })),
    });
  }

  told(device: DeviceId, updateId: UpdateId, status: "accepted" | "rejected"): void {
    this.checker.onDeviceFact(device, { type: "receipt", updateId, round: 1, status, reason: null });
  }

  predicts(device: DeviceId, version: number, value = 7): void {
    const row = { id: "0".repeat(24), entity: device, timeMs: 0, probability: null, anomaly: null };
    this.checker.onDeviceFact(device, { type: "prediction", ...row, version, value });
  }
}

function frameOf(
  device: DeviceId,
  round: number,
  changes: Partial<UpdateHeader>,
  delta = 1,
): Uint8Array<ArrayBuffer> {
  const kind = changes.kind ?? "train";
  const header: UpdateHeader = {
    ...{ task, device, round, kind, baseVersion: 1, modelSignature: HASH, examples: 10 },
    train: kind === "train" ? { codec: "float32", count: 2, fingerprint: HASH, steps: 1, loss: delta } : null,
    ...{ evaluate: null, fit: null },
    ...changes,
  };
  const frame = encodeUpdate(header, kind === "train" ? new Float32Array(2).fill(delta) : undefined);
  return new Uint8Array(frame);
}

/** Sums of `rows` rows, each off by one. */
export function sums(rows: number): MetricSums {
  return { rows, squaredError: rows, absoluteError: rows, loss: rows, correct: 0 };
}
