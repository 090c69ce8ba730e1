// Lineage in the server's database. Records outlive their versions: a prediction made long ago can still be explained.

import { assert } from "../../shared/assert.js";
import {
  type Lineage,
  REASONS_MAX,
  type RunManifest,
  runSchema,
  type Signed,
  signLineage,
  textOf,
  type Verdict,
  verdictSchema,
} from "../../shared/lineage/record.js";
import { metricValues } from "../../shared/model/metric.js";
import type { Database, Row } from "../../shared/storage/port.js";
import { type LoadedTask, parseTaskSource } from "../../shared/task/parse.js";
import type { Task } from "../../shared/task/task.js";
import type { KeyPair } from "../../shared/wire/signature.js";
import type { GateVerdict, TrialEnd } from "../round/command.js";
import type { RoundRecord } from "../round/history.js";

/** Records kept, and their text: whichever is reached first, the oldest go. A run of 1,000 devices has about 200 kB. */
export const LINEAGE_VERSIONS_MAX = 10_000;
export const LINEAGE_BYTES_MAX = 256 * 1024 * 1024;

export interface LineageStoreOptions {
  readonly database: Database;
  /** Whose versions are judged; only to read, neither is needed. */
  readonly keys?: KeyPair;
  readonly task?: Pick<Task, "task" | "model">;
  readonly limits?: { readonly versions: number; readonly bytes: number };
}

/** Runs, verdicts, and the tasks that they name. */
export class LineageStore {
  readonly #options: LineageStoreOptions;
  readonly #database: Database;

  constructor(options: LineageStoreOptions) {
    this.#options = options;
    this.#database = options.database;
  }

  /** Part of the journal's transaction, like `judge`. */
  keep({ record, sha256, signature }: Signed<RunManifest>): void {
    const text = textOf(record);
    this.#prune(record.version);
    this.#database.run(
      `INSERT INTO lineage (version, task_hash, bytes, run, run_sha256, run_signature) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[record.version, record.hashes.task, text.length, text, sha256, signature],
    );
  }

  /** `scored`: the evaluate round behind the gate's word. */
  judge({ version, metric, passed, value, reference }: GateVerdict, scored: RoundRecord | undefined): void {
    const { task } = this.#options;
    assert(task !== undefined, "a store that judges has a task");
    this.#keepVerdict({
      schema: "headwater/verdict/1",
      ...{ task: task.task, version, metric, passed, value, reference },
      run: this.runHash(version) ?? null,
      evaluation: value === null ? null : evaluationOf(scored, task),
      trial: null,
    });
  }

  /** The gate's word stays; what was never judged has nothing to be added to. */
  endTrial({ version, mode, step, outcome, reasons }: TrialEnd): void {
    const verdict = this.find(version)?.verdict?.record;
    if (verdict === undefined) return;
    const trial = { mode, step, outcome, reasons: reasons.slice(0, REASONS_MAX) };
    this.#keepVerdict({ ...verdict, trial });
  }

  /** Keeps the text of a task under its hash. */
  keepTask({ taskHash, source }: Pick<LoadedTask, "taskHash" | "source">): void {
    this.#database.transaction(() => {
      this.#database.run("INSERT OR REPLACE INTO tasks (task_hash, source) VALUES (?, ?)", taskHash, source);
      this.#database.run(
        "DELETE FROM tasks WHERE task_hash <> ? AND task_hash NOT IN (SELECT task_hash FROM lineage)",
        taskHash,
      );
    });
  }

  /** The task of that hash, undefined when its text is not kept. */
  task(taskHash: string): LoadedTask | undefined {
    const row = this.#database.get("SELECT source FROM tasks WHERE task_hash = ?", taskHash);
    return row === undefined ? undefined : parseTaskSource(String(row.source));
  }

  /** The task of the newest version whose task's text is kept, else any. */
  newestTask(): LoadedTask | undefined {
    const row = this.#database.get(
      "SELECT source FROM tasks LEFT JOIN lineage USING (task_hash) ORDER BY version DESC NULLS LAST LIMIT 1",
    );
    return row === undefined ? undefined : parseTaskSource(String(row.source));
  }

  find(version: number): Lineage | undefined {
    const row = this.#database.get("SELECT * FROM lineage WHERE version = ?", version);
    return row === undefined ? undefined : lineageOf(row);
  }

  /** SHA-256 of a version's run. The run itself may be long: it names every update. */
  runHash(version: number): string | undefined {
    const row = this.#database.get("SELECT run_sha256 FROM lineage WHERE version = ?", version);
    return row === undefined ? undefined : String(row.run_sha256);
  }

  /** A version, its parent, the parent's parent and so on, as far as they are known. */
  ancestry(version: number, limit: number): readonly Lineage[] {
    const found: Lineage[] = [];
    for (let next = version; found.length < limit; ) {
      const lineage = this.find(next);
      if (lineage === undefined) break;
      found.push(lineage);
      const { parent } = lineage.run.record;
      // Versions only grow, so this ends.
      if (parent >= next) break;
      next = parent;
    }
    return found;
  }

  #keepVerdict(verdict: Verdict): void {
    const { keys } = this.#options;
    assert(keys !== undefined, "a store that judges has a key");
    const { record, sha256, signature } = signLineage(keys.privateKey, verdict);
    this.#database.run(
      "UPDATE lineage SET verdict = ?, verdict_sha256 = ?, verdict_signature = ? WHERE version = ?",
      ...[textOf(record), sha256, signature, record.version],
    );
  }

  #prune(newest: number): void {
    const { versions = LINEAGE_VERSIONS_MAX, bytes = LINEAGE_BYTES_MAX } = this.#options.limits ?? {};
    this.#database.run("DELETE FROM lineage WHERE version <= ?", newest - versions);
    const held = () =>
      Number(this.#database.get("SELECT COALESCE(SUM(bytes), 0) AS bytes FROM lineage")?.bytes);
    while (held() > bytes) {
      // A hundredth at a time: seldom, and not all at once.
      const dropped = this.#database.run(
        `DELETE FROM lineage WHERE version IN (SELECT version FROM lineage ORDER BY version
         LIMIT 1 + (SELECT count(*) FROM lineage) / 100)`,
      );
      if (dropped === 0) return;
    }
  }
}

function evaluationOf(
  scored: RoundRecord | undefined,
  { model }: Pick<Task, "model">,
): Verdict["evaluation"] {
  if (scored?.pooled === undefined) return null;
  const { round, pooled, ending } = scored;
  return {
    round,
    rows: pooled.rows,
    devices: ending?.accepted ?? 0,
    metrics: metricValues(pooled, model.output),
  };
}

// Our own writing, but signatures are over its bytes: what has been tampered with is for `faultOf` to find.
function lineageOf(row: Row): Lineage {
  return {
    run: signedOf(runSchema.parse(JSON.parse(String(row.run))), row.run_sha256, row.run_signature),
    verdict:
      row.verdict === null
        ? undefined
        : signedOf(
            verdictSchema.parse(JSON.parse(String(row.verdict))),
            row.verdict_sha256,
            row.verdict_signature,
          ),
  };
}

function signedOf<Record extends RunManifest | Verdict>(
  record: Record,
  sha256: Row[string] | undefined,
  signature: Row[string] | undefined,
): Signed<Record> {
  return {
    record,
    sha256: String(sha256),
    // Copied: SQLite's is a Buffer.
    signature: signature instanceof Uint8Array ? new Uint8Array(signature) : new Uint8Array(),
  };
}
