// `headwater model ...`: the versions of a federation, over its server's API or from the data folder of a server.

import { type Command, Option } from "commander";
import type { ModelView } from "../server/http/schema.js";
import { readFiles, writeFiles } from "../shared/artefact/disk.js";
import { readArtefact } from "../shared/artefact/files.js";
import { systemClock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import { type Check, checkChain } from "../shared/lineage/check.js";
import { createRuntime } from "../shared/model/create-runtime.js";
import { defaultEngine } from "../shared/model/engine.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import { wholeNumber } from "./argument.js";
import { registerPull } from "./model-pull.js";
import { askOf, exportFrom, modelsFrom, type Operator } from "./model-source.js";
import { describeModels } from "./model-text.js";
import { lineageFrom, placeOf, type ServerPlace } from "./server-source.js";
import { describeVersion } from "./why.js";

/** Adds the commands. */
export function register(program: Command): void {
  const model = program
    .command("model")
    .description("model versions: list, explain, export, import, name, promote");
  const place = (command: Command) =>
    command
      .option("--data <folder>", "the server's data folder")
      .option("--server <url>", "or the server's HTTP address");
  place(model.command("ls").description("versions kept, newest first"))
    .option("--json", "print one JSON object")
    .action(async ({ json, ...where }: ServerPlace & Json) => {
      const models = await modelsFrom(where);
      print(json, { models }, () => describeModels(models));
    });
  place(model.command("show").description("how a version was made and judged, verified"))
    .argument("<version>", "a number, head, stable, canary, shadow or an alias")
    .option("--json", "print one JSON object")
    .action(show);
  place(
    model.command("export").description("a version as files for tfjs, MLflow, people and headwater/model"),
  )
    .argument("<version>", "a number, head, stable, canary, shadow or an alias")
    .requiredOption("--out <path>", "a new folder, or a new archive where it ends in .tar")
    .action(exportVersion);
  model
    .command("import")
    .description("an exported version into the data folder of a server that does not run")
    .argument("<path>", "a folder or a .tar archive that was exported")
    .requiredOption("--data <folder>", "the server's data folder")
    .option("--parent <version>", "a version of this server that it counts as made from", wholeNumber(0), 0)
    .option("--alias <name>", "what it is called: named versions are kept", "imported")
    .option("--head", "training goes on from it")
    .action(importVersion);
  guarded(place(model.command("alias").description("gives a version a name; named versions are kept")))
    .argument("<name>", "letters, digits and hyphens")
    .argument("<version>", "a number, head, stable, canary, shadow or an alias; - takes the name away")
    .action(alias);
  guarded(model.command("promote").description("devices serve this version from now on"))
    .argument("<version>", "a number, head, canary, shadow or an alias")
    .requiredOption("--server <url>", "the server's HTTP address")
    .action(async (name: string, where: Operator) => {
      const { version } = await find({ server: where.server }, name);
      await askOf(where, `/api/models/${version}/promote`);
      process.stdout.write(`version ${version} is promoted\n`);
    });
  guarded(model.command("rollback").description("ends a trial, or devices serve the version before again"))
    .requiredOption("--server <url>", "the server's HTTP address")
    .action(async (where: Operator) => {
      await askOf(where, "/api/rollback");
      process.stdout.write("rolled back\n");
    });
  registerPull(model);
}

function guarded(command: Command): Command {
  const token = new Option("--http-token <secret>", "the server's, where it asks for one");
  return command.addOption(token.env("HEADWATER_HTTP_TOKEN"));
}

interface Json {
  readonly json?: true;
}

/** The version that `name` stands for. Rejects with `data-missing`, naming what there is. */
export async function find(where: ServerPlace, name: string): Promise<ModelView> {
  const models = await modelsFrom(where);
  const isMeant = (model: ModelView) =>
    String(model.version) === name ||
    (name === "head" && model.isHead) ||
    (name === "stable" && model.isStable) ||
    name === model.trial ||
    model.aliases.includes(name);
  const found = models.find(isMeant);
  if (found !== undefined) return found;
  const there = models.slice(0, 10).map(({ version }) => version);
  const newest = there.length === 0 ? "there are none" : `the newest are ${there.join(", ")}`;
  throw new HeadwaterError("data-missing", `there is no version ${name}: ${newest}`);
}

async function show(name: string, { json, ...where }: ServerPlace & Json): Promise<void> {
  const model = await find(where, name);
  const { publicKey, chain } = await lineageFrom(where, model.version);
  const checks = checkChain(publicKey, chain);
  print(json, { model, lineage: chain, checks }, () =>
    [
      describeModels([model]),
      `lineage:\n${chain.slice(0, 20).map(describeVersion).join("\n") || "  not known"}\n`,
      ...(chain.length > 20 ? [`  and ${chain.length - 20} more (--json has all)\n`] : []),
      describeChecks(checks),
    ].join(""),
  );
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
}

async function exportVersion(
  name: string,
  { out, ...where }: ServerPlace & { readonly out: string },
): Promise<void> {
  const { version } = await find(where, name);
  await withRuntime(async (runtime) => {
    const files = await exportFrom(where, version, runtime);
    // Read back as whoever gets it will: what does not verify is not written.
    const { manifest, params } = await readArtefact(files, runtime);
    await writeFiles(out, files, manifest.createdMs);
    const what = `version ${version} of ${manifest.task}, ${params.length} params`;
    process.stdout.write(`${what}, verified: ${out} (${[...files.keys()].sort().join(", ")})\n`);
  });
}

async function importVersion(
  path: string,
  options: { readonly data: string; readonly parent: number; readonly alias: string; readonly head?: true },
): Promise<void> {
  const { data, parent, alias, head = false } = options;
  const [{ openServerFolder }, { importVersion: takeIn }] = await Promise.all([
    import("../server/host/server-folder.js"),
    import("../server/model/import.js"),
  ]);
  await withRuntime(async (runtime) => {
    const artefact = await readArtefact(await readFiles(path), runtime);
    const { task, version: from, sha256 } = artefact.manifest;
    const folder = openServerFolder(data, { task, clock: systemClock });
    try {
      const taken = { folder, artefact, runtime, clock: systemClock, parent, alias, asHead: head };
      const { version } = await takeIn(taken);
      process.stdout.write(
        `${path}: version ${from} of ${task}, verified: files, task, model, ${artefact.params.length} params, signature\n` +
          `taken in as version ${version}, called ${alias}${head ? ", training goes on from it" : ""}; content ${sha256}\n`,
      );
    } finally {
      folder.close();
    }
  });
}

async function alias(
  name: string,
  wanted: string,
  { httpToken, ...where }: ServerPlace & Pick<Operator, "httpToken">,
): Promise<void> {
  const place = placeOf(where);
  const version = wanted === "-" ? undefined : (await find(where, wanted)).version;
  if (place.kind === "folder") await aliasIn(place.folder, name, version);
  else {
    const operator = { server: place.server, httpToken };
    const path = `/api/aliases/${encodeURIComponent(name)}`;
    if (version === undefined) await askOf(operator, path, { method: "DELETE" });
    else await askOf(operator, path, { method: "PUT", body: { version } });
  }
  process.stdout.write(
    version === undefined ? `${name} is no name any more\n` : `${name} is version ${version}\n`,
  );
}

// The folder is taken for the moment: a running server is asked over HTTP.
async function aliasIn(folder: string, name: string, version: number | undefined): Promise<void> {
  const [{ lockFolder }, { openSqlite }, { serverMigrations }, { Aliases }] = await Promise.all([
    import("../shared/storage/folder-lock.js"),
    import("../shared/storage/sqlite.js"),
    import("../server/storage.js"),
    import("../server/model/aliases.js"),
  ]);
  const lock = lockFolder(folder);
  try {
    const path = `${folder}/server.db`;
    const database = openSqlite({ path, durability: "full", migrations: serverMigrations });
    try {
      const aliases = new Aliases(database);
      if (version !== undefined) aliases.set(name, version);
      else if (!aliases.remove(name))
        throw new HeadwaterError("data-missing", `no version is called ${name}`);
    } finally {
      database.close();
    }
  } finally {
    lock.release();
  }
}

async function withRuntime(use: (runtime: ModelRuntime) => Promise<void>): Promise<void> {
  const runtime = await createRuntime(defaultEngine);
  try {
    await use(runtime);
  } finally {
    runtime.dispose();
  }
}

function print(json: true | undefined, value: object, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text());
}

function describeChecks(checks: readonly Check[]): string {
  const wrong = checks.filter(({ ok }) => !ok).map(({ what, detail }) => `  WRONG ${what}: ${detail}\n`);
  return `verified: ${checks.length - wrong.length} of ${checks.length} checks\n${wrong.join("")}`;
}
