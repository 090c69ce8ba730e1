import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ChunkFiles } from "../../../../server/ingest/chunk-files.js";
import { storageError } from "../../../../server/ingest/files.js";
import { Staging } from "../../../../server/ingest/staging.js";
import { serverMigrations } from "../../../../server/storage.js";
import type { DeviceId, UpdateId } from "../../../../shared/id.js";
import type { Database } from "../../../../shared/storage/port.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { tempFolder } from "../../../support/temp-folder.js";
import { until } from "../../../support/until.js";

const temp = tempFolder();
const device = "pump" as DeviceId;
const updateId = "u1" as UpdateId;
const about = { v: 1, round: 1, kind: "train", baseVersion: 1, examples: 1, sha256: "" } as const;

let database: Database;
let folder: string;
beforeEach(() => {
  database = openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations });
  folder = mkdtempSync(join(temp.path, "staging-"));
});

/** Staging as a process that has just started sees it. */
function start(): Staging {
  return new Staging(database, new ChunkFiles(database, folder));
}

/** Staging with an upload of 8 bytes, of which some have arrived. */
function begun(...chunks: readonly (readonly [offset: number, ...bytes: number[]])[]): Staging {
  const staging = start();
  staging.announce(device, { ...about, updateId, bytes: 8 });
  for (const [offset, ...bytes] of chunks)
    staging.add(staging.find(device, updateId)!, offset, Uint8Array.from(bytes));
  return staging;
}

const files = () => readdirSync(folder).filter((name) => !name.startsWith("spare-"));
const spares = () => readdirSync(folder).filter((name) => name.startsWith("spare-"));

describe("after a crash", () => {
  test("what was secured is still there; what came later is asked for again", async () => {
    const before = begun([0, 1, 2], [6, 7]);
    await before.secure(0);
    before.add(before.find(device, updateId)!, 2, Uint8Array.of(3));
    const after = start();
    const upload = after.find(device, updateId)!;
    expect(upload).toMatchObject({ received: 3, chunks: 2 });
    expect(after.missing(upload)).toEqual([
      [2, 4],
      [7, 1],
    ]);
    after.add(upload, 2, Uint8Array.of(3, 4, 5, 6));
    after.add(after.find(device, updateId)!, 7, Uint8Array.of(8));
    expect(after.assemble(after.find(device, updateId)!)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  });

  test("what was synced but not recorded is asked for again", async () => {
    const before = begun([0, 1, 2]);
    await before.sync(before.find(device, updateId)!);
    const after = start();
    expect(after.missing(after.find(device, updateId)!)).toEqual([[0, 8]]);
  });

  test("an update that was accepted after a sync is whole", async () => {
    const before = begun([0, 1, 2, 3, 4], [4, 5, 6, 7, 8]);
    await before.sync(before.find(device, updateId)!);
    database.transaction(() => before.accept({ round: 1, device, updateId, kind: "train" }));
    const after = start();
    const upload = after.find(device, updateId)!;
    expect(after.missing(upload)).toEqual([]);
    expect(after.assemble(upload)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  });

  test("a file that no announcement names is gone, and so are the spare ones", async () => {
    writeFileSync(join(folder, "pump.u0"), "left behind");
    writeFileSync(join(folder, "spare-1-1"), "spare");
    begun([0, 1]);
    expect(files()).toEqual(["pump.u1"]);
    await until(() => !existsSync(join(folder, "spare-1-1")));
  });
});

describe("securing", () => {
  test("happens every few seconds, for all uploads together, and never twice for the same bytes", async () => {
    const staging = begun([0, 1]);
    await staging.secure(0);
    expect(recorded()).toEqual([[0, 1]]);
    staging.add(staging.find(device, updateId)!, 1, Uint8Array.of(2));
    await staging.secure(4_999);
    expect(recorded()).toEqual([[0, 1]]);
    await staging.secure(5_000);
    expect(recorded()).toEqual([[0, 2]]);
  });

  test("of an upload that is dropped meanwhile records nothing", async () => {
    const staging = begun([0, 1]);
    const securing = staging.secure(0);
    staging.announce(device, { ...about, updateId: "u2" as UpdateId, bytes: 4 });
    await securing;
    expect(recorded()).toEqual([]);
  });

  test("a sync that fails makes the bytes it was for unknown again", async () => {
    const staging = begun([0, 1]);
    rmSync(folder, { recursive: true });
    const upload = staging.find(device, updateId)!;
    await expect(staging.sync(upload)).rejects.toMatchObject({ code: "storage-failed" });
    expect(staging.missing(staging.find(device, updateId)!)).toEqual([[0, 8]]);
  });

  function recorded(): readonly unknown[] {
    return database
      .all("SELECT start, length FROM chunks ORDER BY start")
      .map(({ start, length }) => [start, length]);
  }
});

describe("files", () => {
  test("of uploads that are over serve the next ones, and nothing of them is seen", () => {
    const staging = begun([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    database.transaction(() => staging.endRound(1));
    staging.sweep();
    expect([files(), spares().length]).toEqual([[], 1]);
    staging.announce(device, { ...about, round: 2, updateId: "u2" as UpdateId, bytes: 4 });
    const upload = () => staging.find(device, "u2" as UpdateId)!;
    staging.add(upload(), 2, Uint8Array.of(9));
    expect([files(), spares()]).toEqual([["pump.u2"], []]);
    expect(staging.missing(upload())).toEqual([
      [0, 2],
      [3, 1],
    ]);
    staging.add(upload(), 0, Uint8Array.of(7, 8));
    staging.add(upload(), 3, Uint8Array.of(10));
    expect(staging.assemble(upload())).toEqual(Uint8Array.of(7, 8, 9, 10));
  });

  test.skipIf(!existsSync("/proc/self/fd"))("many uploads at once need few descriptors", () => {
    const staging = start();
    const devices = Array.from({ length: 600 }, (_, i) => `device-${i}` as DeviceId);
    for (const each of devices) staging.announce(each, { ...about, updateId, bytes: 2 });
    for (const [offset, byte] of [
      [0, 1],
      [1, 2],
    ] as const) {
      for (const each of devices) staging.add(staging.find(each, updateId)!, offset, Uint8Array.of(byte));
    }
    expect(readdirSync("/proc/self/fd").length).toBeLessThan(400);
    for (const each of devices) {
      expect(staging.assemble(staging.find(each, updateId)!)).toEqual(Uint8Array.of(1, 2));
    }
    staging.close();
  });

  test("that cannot be written or read say so with their path", () => {
    const staging = begun([0, 1]);
    const upload = staging.find(device, updateId)!;
    staging.close();
    rmSync(folder, { recursive: true });
    const failure = { code: "storage-failed", message: expect.stringContaining(join(folder, "pump.u1")) };
    expect(() => staging.add(upload, 1, Uint8Array.of(2))).toThrow(expect.objectContaining(failure));
    expect(() => staging.assemble(upload)).toThrow(expect.objectContaining(failure));
  });

  test.each(["ENOSPC", "EDQUOT"])("without room are told from files with faults: %s", (code) => {
    expect(storageError("f", Object.assign(new Error("no"), { code }))).toMatchObject({
      code: "storage-full",
    });
    expect(storageError("f", new Error("no"))).toMatchObject({ code: "storage-failed" });
  });
});
