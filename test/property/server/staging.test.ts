// Laws of staging: whatever order chunks come in, however often, in bounded space, wherever the bytes lie.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkFiles } from "../../../server/ingest/chunk-files.js";
import { ChunkTable } from "../../../server/ingest/chunk-table.js";
import type { Chunks } from "../../../server/ingest/chunks.js";
import { Staging } from "../../../server/ingest/staging.js";
import { serverMigrations } from "../../../server/storage.js";
import type { DeviceId, UpdateId } from "../../../shared/id.js";
import type { Database } from "../../../shared/storage/port.js";
import { openSqlite } from "../../../shared/storage/sqlite.js";
import { sha256Hex } from "../../../shared/task/canonical.js";
import { splitChunks } from "../../../shared/wire/chunk.js";
import { tempFolder } from "../../support/temp-folder.js";

const device = "d" as DeviceId;
const updateId = "u" as UpdateId;
const folder = tempFolder();

const kinds: readonly [name: string, create: (database: Database) => Chunks][] = [
  ["in the database", (database) => new ChunkTable(database)],
  ["in files", (database) => new ChunkFiles(database, mkdtempSync(join(folder.path, "staging-")))],
];

describe.each(kinds)("staging %s", (_, create) => {
  function stagingOf(bytes: number) {
    const database = openSqlite({ path: ":memory:", durability: "normal", migrations: serverMigrations });
    const staging = new Staging(database, create(database));
    const sha256 = sha256Hex("x");
    const announced = { kind: "train", baseVersion: 1, examples: 1, round: 1, v: 1 } as const;
    staging.announce(device, { ...announced, updateId, bytes, sha256 });
    const upload = () => staging.find(device, updateId)!;
    const close = () => {
      staging.close();
      database.close();
    };
    return { staging, upload, close };
  }

  test("an upload is whole once what was missing has come, after any chunks in any order", () => {
    const chunk = fc.record({ offset: fc.nat(3000), length: fc.integer({ min: 1, max: 700 }) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.array(chunk), (frame, chunks) => {
        const { staging, upload, close } = stagingOf(frame.length);
        for (const { offset, length } of chunks) {
          const data = frame.slice(offset, offset + length);
          // An empty chunk is refused when it is decoded; staging never sees one.
          if (data.length > 0) staging.add(upload(), offset, data);
        }
        expect(upload().received).toBeLessThanOrEqual(frame.length);
        for (const [offset, length] of splitChunks(frame.length, 100, staging.missing(upload()))) {
          expect(staging.add(upload(), offset, frame.slice(offset, offset + length))).toBeUndefined();
        }
        expect(staging.missing(upload())).toEqual([]);
        expect(staging.assemble(upload())).toEqual(frame);
        close();
      }),
      { numRuns: 50 },
    );
  });

  test("an upload takes no more chunks than it can need", () => {
    const { staging, upload, close } = stagingOf(3000);
    const refusals = Array.from({ length: 200 }, (_, at) => staging.add(upload(), at * 2, Uint8Array.of(1)));
    expect(refusals.filter((refusal) => refusal === undefined).length).toBe(67);
    expect(refusals.at(-1)).toBe("too-many-chunks");
    close();
  });

  test("a device's new upload takes the place of its old one", () => {
    const { staging, close } = stagingOf(100);
    const begin = { kind: "train", baseVersion: 1, examples: 1, round: 1, v: 1, sha256: "" } as const;
    staging.announce(device, { ...begin, updateId: "new" as UpdateId, bytes: 50 });
    staging.announce("other" as DeviceId, { ...begin, updateId, bytes: 30 });
    expect(staging.find(device, updateId)).toBeUndefined();
    expect(staging.reservedBytes("other" as DeviceId)).toBe(50);
    close();
  });

  test("an upload that is announced again begins anew, whatever bytes lie about", () => {
    const { staging, upload, close } = stagingOf(4);
    staging.add(upload(), 0, Uint8Array.of(1, 2, 3, 4));
    const begin = { kind: "train", baseVersion: 1, examples: 1, round: 1, v: 1, sha256: "" } as const;
    staging.announce(device, { ...begin, updateId: "new" as UpdateId, bytes: 50 });
    staging.announce(device, { ...begin, updateId, bytes: 4 });
    expect(staging.missing(upload())).toEqual([[0, 4]]);
    staging.add(upload(), 0, Uint8Array.of(5, 6, 7, 8));
    expect(staging.assemble(upload())).toEqual(Uint8Array.of(5, 6, 7, 8));
    close();
  });
});
