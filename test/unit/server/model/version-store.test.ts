import { beforeEach, describe, expect, test } from "vitest";
import { Aliases } from "../../../../server/model/aliases.js";
import { VersionStore } from "../../../../server/model/version-store.js";
import { serverMigrations } from "../../../../server/storage.js";
import type { TaskId } from "../../../../shared/id.js";
import { randomStream } from "../../../../shared/random.js";
import type { Database } from "../../../../shared/storage/port.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { sha256Hex } from "../../../../shared/task/canonical.js";
import type { Manifest } from "../../../../shared/wire/message.js";

let store: VersionStore;
let database: Database;
beforeEach(() => {
  database = openSqlite({ path: ":memory:", durability: "normal", migrations: serverMigrations });
  store = new VersionStore(database);
});

function keep(version: number, parent: number, blob: Uint8Array): Manifest {
  const hash = sha256Hex(blob);
  const manifest: Manifest = {
    v: 1,
    task: "t" as TaskId,
    version,
    parent,
    sha256: hash,
    bytes: blob.length,
    fingerprint: hash,
    modelSignature: hash,
    createdMs: 1,
    expiresMs: 2,
    signature: new Uint8Array(64),
  };
  store.keep(manifest, blob);
  return manifest;
}

describe("the version store", () => {
  test("reads any part of a blob of many parts", () => {
    const random = randomStream("blob", "test");
    const blob = Uint8Array.from({ length: 300_000 }, () => random.integer(256));
    const { sha256 } = keep(1, 0, blob);
    const places = [0, 1, 131_071, 131_072, 131_073, 262_143, 262_144, 299_999];
    for (const offset of places) {
      for (const length of [1, 1000, 131_072, 400_000]) {
        const part = store.readBlob(sha256, offset, length)!;
        expect(Buffer.compare(part, blob.subarray(offset, offset + length))).toBe(0);
      }
    }
    expect(store.readBlob(sha256, 300_000, 5)).toEqual(new Uint8Array());
    expect(store.readBlob("0".repeat(64), 0, 5)).toBeUndefined();
  });

  test("reads blobs in turn, more than it holds open, and never one for the other", () => {
    const blobs = [1, 2, 3].map((value) => new Uint8Array(200_000).fill(value));
    const names = blobs.map((blob, at) => keep(at + 1, at, blob).sha256);
    for (const offset of [0, 100_000, 150_000])
      for (const [at, name] of names.entries())
        expect(store.readBlob(name, offset, 50_000)).toEqual(blobs[at]!.subarray(offset, offset + 50_000));
    // What was open is read anew once versions have come or gone.
    store.prune(3, []);
    expect(store.readBlob(names[0]!, 0, 5)).toBeUndefined();
    keep(4, 3, blobs[0]!);
    expect(store.readBlob(names[0]!, 199_999, 5)).toEqual(Uint8Array.of(1));
  });

  test("keeps one blob for equal versions, until the last of them goes", () => {
    const blob = Uint8Array.of(1, 2, 3);
    const first = keep(1, 0, blob);
    keep(2, 1, Uint8Array.of(4));
    expect(keep(3, 1, blob).sha256).toBe(first.sha256);
    store.prune(2, []);
    expect(store.readBlob(first.sha256, 0, 3)).toEqual(blob);
    expect(store.manifest(1)).toBeUndefined();
    store.prune(3, []);
    expect(store.readBlob(first.sha256, 0, 3)).toBeUndefined();
  });

  test("forgets old versions but for those in use and their parents", () => {
    for (let version = 1; version <= 6; version++) keep(version, version - 1, Uint8Array.of(version));
    store.prune(5, [4]);
    const kept = [1, 2, 3, 4, 5, 6].filter((version) => store.manifest(version) !== undefined);
    expect(kept).toEqual([3, 4, 6]);
  });
});

test("versions that people have named are kept with their parents, for as long as they have the name", () => {
  for (let version = 1; version <= 6; version++) keep(version, version - 1, new Uint8Array(10).fill(version));
  const aliases = new Aliases(database);
  aliases.set("good", 3);
  store.prune(5, []);
  expect(store.list().map(({ version }) => version)).toEqual([6, 3, 2]);
  expect(aliases.remove("good")).toBe(true);
  store.prune(5, []);
  expect(store.list().map(({ version }) => version)).toEqual([6]);
});

test("there are no more names than a person can keep apart, and none of a line or of nothing", () => {
  keep(1, 0, new Uint8Array(10));
  const aliases = new Aliases(database);
  for (let at = 0; at < 100; at++) aliases.set(`a-${at}`, 1);
  aliases.set("a-7", 1);
  expect(() => aliases.set("one-more", 1)).toThrow("there are 100 aliases, which is the limit: remove one");
  expect(() => aliases.set("head", 1)).toThrow("head is a line of the server's own");
  expect(() => aliases.set("a-7", 9)).toThrow("there is no version 9 (any more) to be called a-7");
  expect(aliases.of(1)).toHaveLength(100);
});
