// `headwater enrol DEVICE...`: lets devices take part, and writes what each needs to know.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type FleetFolder, openFleetFolder } from "../server/host/fleet-folder.js";
import { systemClock } from "../shared/clock.js";
import { HeadwaterError } from "../shared/error.js";
import { type DeviceId, parseDeviceId, parseTaskId, type TaskId } from "../shared/id.js";
import { writeDurably } from "../shared/storage/durable-file.js";
import { formatCredential } from "../shared/wire/credential.js";
import { loadTaskFile } from "./task-file.js";

interface Options {
  readonly data: string;
  readonly task?: string;
  readonly out: string;
  readonly revoke?: true;
  readonly list?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("enrol")
    .description("let devices take part; the server may be running")
    .argument("[devices...]", "device ids: 1-64 letters, digits, _ or -")
    .requiredOption("--data <dir>", "the server's data folder")
    .option("--task <file-or-id>", "the task, for a folder that no server has used yet")
    .option("--out <dir>", "where to write the credentials", ".")
    .option("--revoke", "the devices may not take part any more")
    .option("--list", "list the devices enrolled")
    .action((devices: string[], options: Options) => run(devices, options));
}

function run(names: readonly string[], options: Options): void {
  const devices = names.map(toDevice);
  if (devices.length === 0 && !options.list) throw new InvalidArgumentError("name at least one device.");
  const folder = openFleetFolder(options.data, { task: taskOf(options.task), clock: systemClock });
  try {
    if (options.revoke) for (const device of devices) revoke(folder, device);
    else enrolAll(folder, devices, options.out);
    if (folder.brokerFiles.write()) {
      process.stdout.write(`${folder.brokerFiles.folder} is up to date: send Mosquitto a SIGHUP\n`);
    }
    if (options.list) list(folder);
  } finally {
    folder.close();
  }
}

function enrolAll({ enrolled }: FleetFolder, devices: readonly DeviceId[], out: string): void {
  // Asked of all before anything is done for one.
  for (const device of devices) {
    const path = pathOf(out, device);
    if (existsSync(path))
      throw new HeadwaterError("config-invalid", `${path} is there already: move it away first`);
  }
  for (const device of devices) {
    const path = pathOf(out, device);
    writeDurably(path, formatCredential(enrolled.enrol(device)), { mode: 0o600, mustBeNew: true });
    process.stdout.write(`${path}\n`);
  }
}

function revoke({ enrolled }: FleetFolder, device: DeviceId): void {
  const wasEnrolled = enrolled.revoke(device);
  process.stdout.write(`${device} ${wasEnrolled ? "may not take part any more" : "was not enrolled"}\n`);
}

function list({ enrolled }: FleetFolder): void {
  for (const { device, enrolledMs } of enrolled.list()) {
    process.stdout.write(`${device}  since ${new Date(enrolledMs).toISOString()}\n`);
  }
}

function pathOf(out: string, device: DeviceId): string {
  return join(out, `${device}.credential.json`);
}

function toDevice(name: string): DeviceId {
  const device = parseDeviceId(name);
  if (device !== undefined) return device;
  throw new InvalidArgumentError(`"${name}" is no device id: 1-64 letters, digits, _ or -.`);
}

function taskOf(text: string | undefined): TaskId | undefined {
  if (text === undefined) return undefined;
  return existsSync(text) ? loadTaskFile(text).task.task : idOf(text);
}

function idOf(text: string): TaskId {
  const task = parseTaskId(text);
  if (task !== undefined) return task;
  throw new InvalidArgumentError(`--task: there is no file ${text}, and it is no task id.`);
}
