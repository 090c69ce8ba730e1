// Laws of staging: whatever order chunks come in, however often, in bounded space.

import fc from "fast-check";
import { expect, test } from "vitest";
import { Staging } from "../../../server/ingest/staging.js";
import { serverMigrations } from "../../../server/storage.js";
import type { DeviceId, UpdateId } from "../../../shared/id.js";
import { openSqlite } from "../../../shared/storage/sqlite.js";
import { sha256Hex } from "../../../shared/task/canonical.js";
import { splitChunks } from "../../../shared/wire/chunk.js";

const device = "d" as DeviceId;
const updateId = "u" as UpdateId;

function stagingOf(bytes: number) {
  const database = openSqlite({ path: ":memory:", durability: "normal", migrations: serverMigrations });
  const staging = new Staging(database);
  const sha256 = sha256Hex("x");
  const announced = { kind: "train", baseVersion: 1, examples: 1, round: 1, v: 1 } as const;
  staging.announce(device, { ...announced, updateId, bytes, sha256 });
  const upload = () => staging.find(device, updateId)!;
  return { database, staging, upload };
}

test("an upload is whole once what was missing has come, after any chunks in any order", () => {
  const chunk = fc.record({ offset: fc.nat(3000), length: fc.integer({ min: 1, max: 700 }) });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.array(chunk), (frame, chunks) => {
      const { database, staging, upload } = stagingOf(frame.length);
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
      database.close();
    }),
    { numRuns: 50 },
  );
});

test("an upload takes no more chunks than it can need", () => {
  const { database, staging, upload } = stagingOf(3000);
  const refusals = Array.from({ length: 200 }, (_, at) => staging.add(upload(), at * 2, Uint8Array.of(1)));
  expect(refusals.filter((refusal) => refusal === undefined).length).toBe(67);
  expect(refusals.at(-1)).toBe("too-many-chunks");
  database.close();
});

test("a device's new upload takes the place of its old one", () => {
  const { database, staging } = stagingOf(100);
  const begin = { kind: "train", baseVersion: 1, examples: 1, round: 1, v: 1, sha256: "" } as const;
  staging.announce(device, { ...begin, updateId: "new" as UpdateId, bytes: 50 });
  staging.announce("other" as DeviceId, { ...begin, updateId, bytes: 30 });
  expect(staging.find(device, updateId)).toBeUndefined();
  expect(staging.reservedBytes("other" as DeviceId)).toBe(50);
  database.close();
});
