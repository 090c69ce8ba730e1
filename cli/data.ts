// `headwater data ls|export`: what a device has gathered, for a person or for another program. It only reads, so it works
// while the agent runs.

import Table from "cli-table3";
import { type Command, Option } from "commander";
import {
  type ExportFilter,
  type ExportKind,
  type ExportTable,
  exports,
  exportTable,
  filtersOf,
} from "../device/catalogue/export.js";
import { type FolderView, viewFolder } from "../device/catalogue/folder.js";
import { type Catalogue, listFolder } from "../device/catalogue/list.js";
import { HeadwaterError } from "../shared/error.js";
import { formatBytes } from "../shared/task/units.js";
import { time } from "./argument.js";
import { createRecordFormat, recordFormats } from "./record-format.js";
import { openTextOut, type TextOut } from "./text-out.js";

/** Entities on a screen. */
const SHOWN_MAX = 30;
/** Lines written together. */
const WRITE_CHARACTERS = 64 * 1024;

type Format = (typeof recordFormats)[number];

/** Adds the commands. */
export function register(program: Command): void {
  const data = program.command("data").description("what a device has gathered: its data folder, read only");
  data
    .command("ls")
    .description("messages, examples, predictions and quarantined values, counted")
    .argument("<folder>", "the device's data folder")
    .option("--json", "print one JSON object")
    .action((folder: string, { json }: { readonly json?: true }) =>
      withFolder(folder, (view) => {
        const catalogue = listFolder(view);
        process.stdout.write(json ? `${JSON.stringify(catalogue)}\n` : describeCatalogue(catalogue));
      }),
    );
  data
    .command("export")
    .description("records on standard output, oldest first")
    .argument("<folder>", "the device's data folder")
    .addOption(new Option("--what <kind>", "what to export").choices(exports).default("readings"))
    .addOption(new Option("--format <format>", "how to write it").choices(recordFormats).default("csv"))
    .option("--source <name>", "only of this source of the task")
    .option("--entity <name>", "only of this entity")
    .option("--from <time>", "only from this time on, such as 2026-03-01 or 2026-03-01T12:00:00Z", time)
    .option("--to <time>", "only before this time", time)
    .action((folder: string, options: ExportOptions) =>
      withFolder(folder, async (view) => {
        const table = await exportTable(view, options.what, filterOf(options));
        await writeTable(openTextOut(undefined), table, options.format);
      }),
    );
}

interface ExportOptions {
  readonly what: ExportKind;
  readonly format: Format;
  readonly source?: string;
  readonly entity?: string;
  readonly from?: number;
  readonly to?: number;
}

async function withFolder(folder: string, use: (view: FolderView) => void | Promise<void>): Promise<void> {
  const view = viewFolder(folder);
  try {
    await use(view);
  } finally {
    view.close();
  }
}

function filterOf({ what, source, entity, from, to }: ExportOptions): ExportFilter {
  const given = { source, entity };
  for (const name of ["source", "entity"] as const) {
    if (given[name] === undefined || filtersOf(what).includes(name)) continue;
    throw new HeadwaterError("config-invalid", `--${name} does not go with --what ${what}: it has none`);
  }
  return { source, entity, fromMs: from, toMs: to };
}

/** Writes records as fast as they are read; ends quietly when the reader has had enough, and rejects when they cannot be written. */
export async function writeTable(
  out: TextOut,
  { columns, records }: ExportTable,
  format: Format,
): Promise<void> {
  const { header, line } = createRecordFormat(format, columns);
  let text = header;
  for (const record of records) {
    text += line(record);
    if (text.length < WRITE_CHARACTERS) continue;
    out.write(text);
    text = "";
    if (!(await out.ready())) return;
  }
  out.write(text);
  await out.close();
}

function describeCatalogue({ messages, examples, predictions, quarantine }: Catalogue): string {
  return [
    section("messages", ["source", "messages", "first", "last", "payload"], messages, (each) => [
      ...[each.source, each.count, timeText(each.firstMs), timeText(each.lastMs), formatBytes(each.bytes)],
    ]),
    section("examples", ["entity", "train", "validation", "test", "first", "last"], examples, (each) => [
      ...[each.entity, each.train, each.validation, each.test, timeText(each.firstMs), timeText(each.lastMs)],
    ]),
    section("predictions", ["entity", "predictions", "first", "last"], predictions, (each) => [
      ...[each.entity, each.count, timeText(each.firstMs), timeText(each.lastMs)],
    ]),
    section("quarantine", ["source", "reason", "values", "first", "last"], quarantine, (each) => [
      ...[each.source, each.reason, each.count, timeText(each.firstMs), timeText(each.lastMs)],
    ]),
  ].join("");
}

function section<Item>(
  name: string,
  head: string[],
  items: readonly Item[],
  cells: (item: Item) => (string | number)[],
): string {
  if (items.length === 0) return `no ${name}\n`;
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const item of items.slice(0, SHOWN_MAX)) table.push(cells(item));
  const more = items.length - SHOWN_MAX;
  return `${table.toString()}\n${more > 0 ? `and ${more} more\n` : ""}`;
}

function timeText(ms: number | null): string {
  return ms === null ? "" : new Date(ms).toISOString();
}
