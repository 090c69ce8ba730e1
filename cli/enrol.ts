// `headwater enrol DEVICE...`: lets devices take part, and writes what each needs to know.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
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
  if (devices.length === 0 && !options.list) throw wrong("name at least one device");
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

function enrolAll(folder: FleetFolder, devices: readonly DeviceId[], out: string): void {
  // Asked of all before anything is done for one.
  for (const device of devices) {
    const problem = problemWith(folder, device, pathOf(out, device));
    if (problem !== undefined) throw wrong(problem);
  }
  for (const device of devices) {
    const path = pathOf(out, device);
    writeCredential(folder, device, path);
    process.stdout.write(`${path}\n`);
  }
}

function problemWith(
  { enrolled, brokerFiles }: FleetFolder,
  device: DeviceId,
  path: string,
): string | undefined {
  if (existsSync(path)) return `${path} is there already: move it away first`;
  if (enrolled.has(device)) return `device ${device} is enrolled already: revoke it first`;
  if (brokerFiles.serverUser !== device) return undefined;
  return `${device} is the server's own user name at the broker: a device of that name could speak for it`;
}

function writeCredential({ enrolled }: FleetFolder, device: DeviceId, path: string): void {
  const credential = enrolled.enrol(device);
  try {
    writeDurably(path, formatCredential(credential), { mode: 0o600, mustBeNew: true });
  } catch (error) {
    // A device whose secrets nobody has could never be enrolled again.
    enrolled.revoke(device);
    throw error;
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
  throw wrong(`"${name}" is no device id: 1-64 letters, digits, _ or -, a letter or digit first`);
}

function taskOf(text: string | undefined): TaskId | undefined {
  if (text === undefined) return undefined;
  return existsSync(text) ? loadTaskFile(text).task.task : idOf(text);
}

function idOf(text: string): TaskId {
  const task = parseTaskId(text);
  if (task !== undefined) return task;
  throw wrong(`--task: there is no file ${text}, and it is no task id`);
}

// Commander says what is wrong with options itself, and nothing of what an action throws.
function wrong(message: string): HeadwaterError {
  return new HeadwaterError("config-invalid", message);
}
