// `headwater replay TASK --to URL`: a dataset or a generator as live telemetry.

import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../shared/clock.js";
import type { DeviceId } from "../shared/id.js";
import { createLogger } from "../shared/log.js";
import type { Reading } from "../shared/pipeline/types.js";
import { loadFeed } from "../simulator/datasets/load.js";
import { type ReplayProgress, replay } from "../simulator/live/replay.js";
import { time, wholeNumber } from "./argument.js";
import { loadTaskFile } from "./task-file.js";

interface Options {
  readonly to: string;
  readonly data?: string;
  readonly speed: number;
  readonly batch: number;
  readonly devices?: number;
  readonly only?: readonly string[];
  readonly from?: number;
  readonly until?: number;
  readonly seed: number;
  readonly username?: string;
  readonly password?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("replay")
    .description('publish the data of a task\'s "simulate" section over MQTT, as if it happened now')
    .argument("<task>", "task file (YAML)")
    .requiredOption("--to <url>", "telemetry broker, such as mqtt://localhost:1883")
    .option("--data <dir>", "folder with the dataset (default: HEADWATER_DATA)")
    .option("--speed <factor>", "times as fast as it happened, such as 3600x, or max", speed, 3600)
    .option("--batch <n>", "most readings in one message, where several are due", wholeNumber(1), 1)
    .option("--devices <n>", "how many devices (default: what the task or its data says)", wholeNumber(1))
    .option("--only <names>", "only these devices, separated by commas", (names) => names.split(","))
    .option("--from <time>", "leave out what is before, such as 2026-03-01", time)
    .option("--until <time>", "leave out what is not before", time)
    .option("--seed <n>", "of generated data and of how it is dealt out", wholeNumber(0), 1)
    .option("--username <name>", "at the broker")
    .option("--password <secret>", "at the broker")
    .action((path: string, options: Options) => run(path, options));
}

async function run(path: string, options: Options): Promise<void> {
  const { to: url, data, speed, batch, devices: count, seed, username, password } = options;
  const { task } = loadTaskFile(path);
  const folder = data ?? process.env.HEADWATER_DATA;
  const feed = await loadFeed(task, { folder, devices: count, seed: String(seed) });
  const view = createView();
  const done = await replay({
    ...{ task, speed, batch, clock: systemClock, logger: createLogger("warn") },
    devices: select(feed.devices, options),
    endpoint: {
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    },
    onProgress: view,
  });
  process.stdout.write(`${done.readings} readings published in ${done.messages} messages\n`);
}

function select(
  devices: ReadonlyMap<DeviceId, readonly Reading[]>,
  { only, from = -Infinity, until = Infinity }: Options,
): ReadonlyMap<DeviceId, readonly Reading[]> {
  for (const name of only ?? []) {
    if (![...devices.keys()].some((device) => device === name)) {
      throw new InvalidArgumentError(
        `--only: no device is called ${name}; there are ${[...devices.keys()].join(", ")}`,
      );
    }
  }
  const chosen = [...devices].filter(([device]) => only === undefined || only.includes(device));
  return new Map(
    chosen.map(([device, readings]) => [
      device,
      readings.filter(({ timeMs }) => timeMs >= from && timeMs < until),
    ]),
  );
}

/** A line on a terminal, every tenth elsewhere. */
function createView(): (progress: ReplayProgress) => void {
  let tenth = 0;
  return ({ readings, total, eventMs }) => {
    const text = `${readings}/${total} readings, until ${new Date(eventMs).toISOString()}`;
    if (process.stderr.isTTY) process.stderr.write(`\r${text}${readings === total ? "\n" : ""}`);
    else if (Math.floor((10 * readings) / total) > tenth) {
      tenth = Math.floor((10 * readings) / total);
      process.stderr.write(`${text}\n`);
    }
  };
}

function speed(text: string): number {
  if (text === "max") return Infinity;
  const factor = Number(/^(\d+(?:\.\d+)?)x$/.exec(text)?.[1]);
  if (factor > 0) return factor;
  throw new InvalidArgumentError(`expected a factor such as 3600x, or max, got "${text}".`);
}
