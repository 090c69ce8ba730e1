// `headwater model` over a real server's data folder and API, with real processes.

import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openServerFolder } from "../../server/host/server-folder.js";
import { createApp } from "../../server/http/http.js";
import { Aliases } from "../../server/model/aliases.js";
import { serverMigrations } from "../../server/storage.js";
import { readFiles } from "../../shared/artefact/disk.js";
import { readArtefact } from "../../shared/artefact/files.js";
import { Counters } from "../../shared/counters.js";
import type { TaskId } from "../../shared/id.js";
import { checkChain } from "../../shared/lineage/check.js";
import { silentLogger } from "../../shared/log.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { ManualClock } from "../support/manual-clock.js";
import { ServerLab, scoreOf } from "../support/server-lab.js";
import { tempFolder } from "../support/temp-folder.js";

const temp = tempFolder();
const trains = "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 4 }\nevaluate: { every: 1 }\n";
const data = join(temp.path, "server");

let runtime: ModelRuntime;

beforeAll(async () => {
  runtime = await createRuntime("auto");
  await federate(data, {}, async (lab) => {
    const fleet = [await lab.device("a"), await lab.device("b")];
    for (const each of fleet) await each.hello();
    for (const each of fleet) await each.contribute();
    await lab.settle(() => lab.server.status().head === 2);
    for (const each of fleet) await each.contribute();
    await lab.settle(() => lab.server.status().stable === 2);
  });
});
afterAll(() => runtime.dispose());

/** A server over the folder, and a stop. */
async function federate<Result>(
  folder: string,
  { yaml = trains }: { readonly yaml?: string },
  use: (lab: ServerLab) => Promise<Result>,
): Promise<Result> {
  const opened = openServerFolder(folder, { task: "lab" as TaskId, clock: new ManualClock() });
  const lab = new ServerLab({ runtime, yaml, database: opened.database, keys: opened.keys });
  await lab.start();
  try {
    return await use(lab);
  } finally {
    await lab.kill();
    opened.close();
  }
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

function headwater(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["dist/cli/main.js", "model", ...args], (failure, out, error) =>
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error }),
    );
  });
}

function copyOf(name: string): string {
  const copy = join(temp.path, name);
  cpSync(data, copy, { recursive: true });
  return copy;
}

describe("over a data folder", () => {
  test("versions are listed, with their lines and scores", async () => {
    const { out } = await headwater("ls", "--data", data, "--json");
    expect(JSON.parse(out).models).toMatchObject([
      {
        version: 2,
        parent: 1,
        isHead: true,
        isStable: true,
        aliases: [],
        evaluation: { metrics: { rmse: 1 } },
      },
      { version: 1, parent: 0, isHead: false, isStable: false },
    ]);
    const table = await headwater("ls", "--data", data);
    expect(table.out).toMatch(/2 +│ 1 +│ head, stable +│ .* rmse 1\.000/);
  });

  test("a version is explained", async () => {
    const { code, out } = await headwater("show", "stable", "--data", data);
    expect(code).toBe(0);
    expect(out).toContain("round 1: 2 updates, 20 examples from a, b; rmse 1.000, gate passed");
    expect(out).toContain("verified: 4 of 4 checks");
    expect(await headwater("show", "9", "--data", data)).toMatchObject({
      code: 1,
      error: "there is no version 9: the newest are 2, 1\n",
    });
  });

  test("a version is exported, and taken in by another server that trains on from it", async () => {
    const out = join(temp.path, "two.tar");
    expect(await headwater("export", "stable", "--data", data, "--out", out)).toMatchObject({
      code: 0,
      error: "",
    });
    const artefact = await readArtefact(await readFiles(out), runtime);
    const other = join(temp.path, "other");
    const taken = await headwater("import", out, "--data", other, "--alias", "start", "--head");
    expect(taken.error).toBe("");
    expect(taken.out).toContain("taken in as version 1, called start, training goes on from it");
    await federate(other, {}, async (lab) => {
      expect(lab.server.status()).toMatchObject({ head: 1, stable: 0 });
      expect((await lab.server.model(1))!.params).toEqual(artefact.params);
      const fleet = [await lab.device("a"), await lab.device("b")];
      for (const each of fleet) await each.hello();
      for (const each of fleet) await each.contribute();
      await lab.settle(() => lab.server.status().head === 2);
      const chain = lab.server.lineage(2, 10);
      expect(chain.map(({ run }) => run.record.kind)).toEqual(["fold", "import"]);
      expect(chain[1]!.run.record.origin).toMatchObject({
        task: "lab",
        version: 2,
        sha256: artefact.manifest.sha256,
      });
      expect(checkChain(lab.server.publicKey, chain).every(({ ok }) => ok)).toBe(true);
    });
  });

  test("a version is taken into a folder with others, and changes nothing but their number", async () => {
    const [folder, out] = [copyOf("with-others"), join(temp.path, "again.tar")];
    await headwater("export", "1", "--data", folder, "--out", out);
    const taken = await headwater("import", out, "--data", folder, "--parent", "2");
    expect(taken.out).toContain("taken in as version 3, called imported");
    await federate(folder, {}, async (lab) => {
      expect(lab.server.status()).toMatchObject({ head: 2, stable: 2 });
      const fleet = [await lab.device("a"), await lab.device("b")];
      for (const each of fleet) await each.hello();
      for (const each of fleet) await each.contribute();
      await lab.settle(() => lab.server.status().head === 4);
      expect(lab.server.lineage(4, 10).map(({ run }) => run.record.version)).toEqual([4, 2, 1]);
      expect(lab.server.versions().map(({ manifest }) => manifest.version)).toEqual([4, 3, 2, 1]);
    });
  });

  test("what does not fit is not taken in, and nothing has changed", async () => {
    const folder = copyOf("untouched");
    const out = join(temp.path, "two-folder");
    await headwater("export", "2", "--data", folder, "--out", out);
    const before = (await headwater("ls", "--data", folder, "--json")).out;
    const refused = async (...args: string[]) =>
      (await headwater("import", out, "--data", folder, ...args)).error;
    expect(await refused("--parent", "7")).toBe("parent: there is no version 7 (any more)\n");
    expect(await refused("--alias", "stable")).toBe("stable is a line of the server's own, not an alias\n");
    temp.write("two-folder/weights.bin", new Uint8Array(8));
    expect(await refused()).toMatch(/weights\.bin is not the file that headwater\.json lists/);
    expect((await headwater("ls", "--data", folder, "--json")).out).toBe(before);
  });

  test("a version that could not be given its name is not taken in", async () => {
    const folder = copyOf("all-named");
    const database = openSqlite({
      ...{ path: join(folder, "server.db"), durability: "normal", migrations: serverMigrations },
    });
    for (let at = 0; at < 100; at++) new Aliases(database).set(`name-${at}`, 1);
    database.close();
    const out = join(temp.path, "for-all-named");
    await headwater("export", "2", "--data", folder, "--out", out);
    const before = (await headwater("ls", "--data", folder, "--json")).out;
    expect((await headwater("import", out, "--data", folder)).error).toMatch(/there are 100 aliases/);
    expect((await headwater("ls", "--data", folder, "--json")).out).toBe(before);
  });

  test("a version that the disk refuses its name is not there at all", async () => {
    const folder = copyOf("refused");
    const database = openSqlite({
      ...{ path: join(folder, "server.db"), durability: "normal", migrations: serverMigrations },
    });
    database.run("CREATE TRIGGER full BEFORE INSERT ON aliases BEGIN SELECT RAISE(ABORT, 'no room'); END");
    database.close();
    const out = join(temp.path, "for-refused");
    await headwater("export", "2", "--data", folder, "--out", out);
    const before = (await headwater("ls", "--data", folder, "--json")).out;
    expect((await headwater("import", out, "--data", folder)).error).toMatch(/no room/);
    expect((await headwater("ls", "--data", folder, "--json")).out).toBe(before);
  });

  test("a version with a name is kept for as long as it has one", async () => {
    const folder = copyOf("named");
    expect((await headwater("alias", "good", "1", "--data", folder)).out).toBe("good is version 1\n");
    expect(JSON.parse((await headwater("ls", "--data", folder, "--json")).out).models[1].aliases).toEqual([
      "good",
    ]);
    expect((await headwater("show", "good", "--data", folder)).out).toContain("verified: 1 of 1 checks");
    expect((await headwater("alias", "good", "-", "--data", folder)).out).toBe("good is no name any more\n");
    expect((await headwater("alias", "Good", "1", "--data", folder)).error).toMatch(
      /alias "Good": expected a letter/,
    );
  });

  test("a folder whose server runs is read, and not written to", async () => {
    await federate(copyOf("running"), {}, async () => {
      const folder = join(temp.path, "running");
      expect((await headwater("ls", "--data", folder)).code).toBe(0);
      expect(await headwater("alias", "good", "1", "--data", folder)).toMatchObject({ code: 3 });
    });
  });
});

describe("over the API", () => {
  test("says and exports the same as over the folder", async () => {
    await federate(data, {}, async (lab) => {
      await served(lab, { token: undefined }, async (server) => {
        for (const command of [
          ["ls", "--json"],
          ["show", "2"],
        ])
          expect(await headwater(...command, "--server", server)).toEqual(
            await headwater(...command, "--data", data),
          );
        const [ofApi, ofFolder] = [join(temp.path, "api"), join(temp.path, "folder")];
        expect((await headwater("export", "2", "--server", server, "--out", ofApi)).error).toBe("");
        await headwater("export", "2", "--data", data, "--out", ofFolder);
        expect(await readFiles(ofApi)).toEqual(await readFiles(ofFolder));
      });
    });
  });
});

describe("on a server that runs", () => {
  const token = "sixteen-letters-or-so";
  const canary = `
rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 8 }
evaluate: { every: 1 }
rollout: { canary: { steps: [1], soak: 1m, rows: 10 } }
`;

  test("a version on trial is promoted and taken back, by who has the token", async () => {
    const folder = join(temp.path, "trial");
    await federate(folder, { yaml: canary }, async (lab) => {
      await reachTrial(lab);
      await served(lab, { token }, async (server) => {
        const listed = await headwater("ls", "--server", server);
        expect(listed.out).toMatch(/3 +│ 2 +│ head, canary /);
        expect(listed).toEqual(await headwater("ls", "--data", folder));
        const refused = await headwater("promote", "canary", "--server", server);
        expect(refused).toMatchObject({ code: 4, error: expect.stringContaining("--http-token") });
        expect(lab.server.status()).toMatchObject({ stable: 2, trial: { version: 3 } });
        const operator = ["--server", server, "--http-token", token];
        expect(await headwater("promote", "canary", ...operator)).toMatchObject({
          out: "version 3 is promoted\n",
        });
        expect(lab.server.status()).toMatchObject({ stable: 3, trial: undefined });
        expect((await headwater("show", "stable", "--server", server)).out).toMatch(
          /gate passed, promoted from canary\n[\s\S]*verified: 7 of 7 checks/,
        );
        expect(await headwater("promote", "canary", ...operator)).toMatchObject({
          error: "there is no version canary: the newest are 3, 2, 1\n",
        });
        expect((await headwater("rollback", ...operator)).out).toBe("rolled back\n");
        expect(lab.server.stable()).toBe(2);
      });
    });
  });

  test("versions are named, and what cannot be is refused with the reason", async () => {
    await federate(copyOf("naming"), {}, async (lab) => {
      await served(lab, { token: undefined }, async (server) => {
        const alias = (...args: string[]) => headwater("alias", ...args, "--server", server);
        expect((await alias("good", "1")).out).toBe("good is version 1\n");
        expect((await alias("best", "good")).out).toBe("best is version 1\n");
        expect(lab.server.aliases.of(1)).toEqual(["best", "good"]);
        expect((await alias("best", "-")).out).toBe("best is no name any more\n");
        expect(lab.server.aliases.of(1)).toEqual(["good"]);
        expect((await alias("best", "-")).error).toContain("no version is called best");
        expect((await alias("stable", "1")).error).toContain("stable is a line of the server's own");
      });
    });
    expect((await headwater("ls")).error).toBe("say either --data FOLDER or --server URL\n");
  });
});

/** Version 2 is served, version 3 has passed the gate. */
async function reachTrial(lab: ServerLab): Promise<void> {
  const fleet = [await lab.device("a"), await lab.device("b")];
  for (const each of fleet) await each.hello();
  for (const error of [1, 0.5]) {
    for (const each of fleet) await each.contribute();
    for (const each of fleet) {
      const header = { evaluate: scoreOf(10, error) };
      await each.upload(await each.update(await each.offered(), { header }));
    }
  }
  await lab.settle(() => lab.server.status().trial !== undefined);
}

/** The lab's server over HTTP. */
async function served(
  lab: ServerLab,
  actions: { readonly token: string | undefined },
  use: (url: string) => Promise<void>,
): Promise<void> {
  const app = await createApp({
    sources: {
      ...{ task: lab.task.task, source: lab.task, version: "1", server: lab.server },
      ...{
        clock: lab.clock,
        startedMs: 0,
        actions: { ...actions, operations: lab.server, isLoopback: true },
      },
      ...{ enrolled: { list: () => [] }, brokerCounters: new Counters(), notReady: () => undefined },
      broker: () => ({ kind: "external", urls: [], isConnected: true }),
    },
    logger: silentLogger,
  });
  try {
    await use(await app.listen({ port: 0, host: "127.0.0.1" }));
  } finally {
    await app.close();
  }
}
