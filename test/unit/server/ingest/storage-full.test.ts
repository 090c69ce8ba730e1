import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serverMigrations } from "../../../../server/storage.js";
import { HeadwaterError } from "../../../../shared/error.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import type { Cell, Database, Row } from "../../../../shared/storage/port.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { ServerLab } from "../../../support/server-lab.js";

let runtime: ModelRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

/** An update takes some 10 pages. */
async function startLab(database?: Database) {
  const yaml = "rounds: { minDevices: 3, quorum: 60%, deadline: 10m, lease: 5m }\n";
  const lab = new ServerLab({ runtime, yaml, hidden: 2000, ...(database === undefined ? {} : { database }) });
  await lab.start();
  const [a, b, c] = [await lab.device("a"), await lab.device("b"), await lab.device("c")];
  for (const device of [a, b, c]) await device.hello();
  return { lab, a, b, c };
}

/** Leaves the database so many pages to grow. */
function limitPages(lab: ServerLab, more: number): void {
  const pages = Number(lab.database.get("PRAGMA page_count")?.page_count);
  lab.database.get(`PRAGMA max_page_count = ${pages + more}`);
}

/** A disk that can fill up to the last byte: from then on, nothing can be written. */
class FullDisk implements Database {
  isFull = false;
  readonly #database = openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations });

  run(sql: string, ...cells: readonly Cell[]): number {
    return this.#write(() => this.#database.run(sql, ...cells));
  }

  get(sql: string, ...cells: readonly Cell[]): Row | undefined {
    return this.#database.get(sql, ...cells);
  }

  all(sql: string, ...cells: readonly Cell[]): readonly Row[] {
    return this.#database.all(sql, ...cells);
  }

  iterate(sql: string, ...cells: readonly Cell[]): IterableIterator<Row> {
    return this.#database.iterate(sql, ...cells);
  }

  transaction<Result>(body: () => Result): Result {
    return this.#write(() => this.#database.transaction(body));
  }

  close(): void {
    this.#database.close();
  }

  #write<Result>(action: () => Result): Result {
    if (this.isFull) throw new HeadwaterError("storage-full", "the disk is full");
    return action();
  }
}

describe("when the disk is full", () => {
  test("the update that finds no room is refused, what was accepted stays, and the round closes", async () => {
    const { lab, a, b, c } = await startLab();
    const updates = [];
    for (const device of [a, b, c]) updates.push(await device.update(await device.offered()));
    limitPages(lab, 22);
    expect(await a.upload(updates[0]!)).toMatchObject({ status: "accepted" });
    expect(await b.upload(updates[1]!)).toMatchObject({ status: "accepted" });
    expect(await c.upload(updates[2]!)).toMatchObject({ status: "rejected", reason: "storage-full" });
    expect(await c.upload(updates[2]!)).toMatchObject({ reason: "storage-full", duplicate: true });
    await lab.settle(() => lab.server.status().head === 2);
    expect(lab.told("round-closed")[0]?.folded.map(({ device }) => device)).toEqual(["a", "b"]);
    expect(lab.server.counters.get("dropped.storage-full")).toBe(1);
  });

  test("when not even a refusal finds room, nothing is acknowledged or half done, and devices are still served", async () => {
    const disk = new FullDisk();
    const { lab, a, b } = await startLab(disk);
    const first = await a.update(await a.offered());
    const accepted = await a.upload(first);
    const second = await b.update(await b.offered());
    disk.isFull = true;
    const before = lab.server.status().open;
    expect(await b.send("begin", second.begin)).toBe(false);
    expect(lab.server.status().open).toEqual(before);
    expect(await a.upload(first)).toEqual({ ...accepted, duplicate: true });
    const { manifest } = (await lab.server.model(1))!;
    await a.send("get", { v: 1, sha256: manifest.sha256, offset: 0, length: 10 });
    expect((await a.next("block")).data.length).toBe(10);
    disk.isFull = false;
    expect(await b.upload(second)).toMatchObject({ status: "accepted", duplicate: false });
  });

  test("a round still ends at its deadline, at the latest when there is room again", async () => {
    const disk = new FullDisk();
    const { lab, a } = await startLab(disk);
    await a.contribute();
    disk.isFull = true;
    await lab.clock.advance(11 * 60_000);
    disk.isFull = false;
    await lab.clock.advance(60_000);
    expect(lab.told("round-closed")[0]).toMatchObject({ round: 1, outcome: "abandoned" });
    expect(lab.server.status().open?.round).toBe(2);
    expect(lab.database.get("SELECT COUNT(*) AS count FROM chunks")).toEqual({ count: 0 });
  });
});

describe("the staging area", () => {
  test("takes no more uploads than its bound; who finds no room asks again", async () => {
    const lab = new ServerLab({
      runtime,
      yaml: "rounds: { minDevices: 2, quorum: 100% }\n",
      limits: { stagingBytes: 600 },
    });
    await lab.start();
    const [a, b] = [await lab.device("a"), await lab.device("b")];
    for (const device of [a, b]) await device.hello();
    const first = await a.update(await a.offered());
    const second = await b.update(await b.offered());
    await a.send("begin", first.begin);
    b.received.length = 0;
    expect(await b.send("begin", second.begin)).toBe(true);
    expect(lab.server.counters.get("dropped.staging-full")).toBe(1);
    expect(b.received).toEqual([]);
    await a.send("begin", { ...first.begin, baseVersion: 0 });
    expect(await a.next("receipt")).toMatchObject({ reason: "stale-base-version" });
    expect(await b.upload(second)).toMatchObject({ status: "accepted" });
  });
});
