import { expect, test } from "vitest";
import { ChunkTable } from "../../../server/ingest/chunk-table.js";
import { ReceiptStore } from "../../../server/ingest/receipts.js";
import { Staging } from "../../../server/ingest/staging.js";
import { LineageStore } from "../../../server/lineage/store.js";
import { VersionStore } from "../../../server/model/version-store.js";
import { RoundHistory } from "../../../server/round/history.js";
import { initialState } from "../../../server/round/state.js";
import { SqliteJournal, serverMigrations } from "../../../server/storage.js";
import { HeadwaterError } from "../../../shared/error.js";
import type { DeviceId, TaskId, UpdateId } from "../../../shared/id.js";
import { openSqlite } from "../../../shared/storage/sqlite.js";
import { parseTask } from "../../../shared/task/parse.js";
import { keysFromSeed } from "../../../shared/wire/signature.js";

const TASK =
  "{task: t, sources: {air: {}}, features: {from: air, list: [{copy: [a]}]}, label: {field: a}, model: {dense: [2]}}";

/** Chunks whose sweep meets a disk that has failed. */
class UnsweptChunks extends ChunkTable {
  override sweep(): void {
    throw new HeadwaterError("storage-failed", "disk I/O error");
  }
}

test("events that are stored are not refused because files nobody needs could not be swept", async () => {
  const database = openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations });
  const journal = new SqliteJournal(database, {
    staging: new Staging(database, new UnsweptChunks(database)),
    receipts: new ReceiptStore({ database, keys: keysFromSeed(new Uint8Array(32)), task: "t" as TaskId }),
    versions: new VersionStore(database),
    history: new RoundHistory(database),
    lineage: new LineageStore({ database, task: parseTask(TASK).task }),
  });
  const event = { type: "tick", nowMs: 1 } as const;
  const drop = { type: "drop-upload", device: "d" as DeviceId, updateId: "u" as UpdateId } as const;
  await journal.commit([{ event, state: initialState, writes: [drop] }]);
  expect(database.all("SELECT event FROM journal")).toEqual([{ event: JSON.stringify(event) }]);
});
