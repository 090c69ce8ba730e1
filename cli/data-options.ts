// `--data` and what belongs to it: files of raw messages, for the commands that read them.

import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { STDIN } from "../device/offline/file-lines.js";
import { type Encoding, encodings } from "../device/offline/line-format.js";
import type { DataFile, OfflineOptions } from "../device/offline/run.js";
import { HeadwaterError } from "../shared/error.js";
import { type DeviceId, parseDeviceId } from "../shared/id.js";
import { didYouMean } from "../shared/task/suggest.js";
import type { Task } from "../shared/task/task.js";
import { duration, time } from "./argument.js";

/** What the options say. */
export interface DataOptions {
  readonly topic?: string;
  readonly withTopic: boolean;
  readonly encoding?: Encoding;
  readonly device: DeviceId;
  readonly every: number;
}

/** Adds the options that say how the lines of `--data` become messages. */
export function addDataOptions(command: Command): Command {
  return command
    .option("--topic <topic>", "topic that the lines came on (default: one that fits the source's filter)")
    .option(
      "--with-topic",
      "a line is TOPIC, a tab or a space, PAYLOAD, as mosquitto_sub -v prints it",
      false,
    )
    .addOption(
      new Option(
        "--encoding <name>",
        "how payloads are written (default: base64 for binary formats, else text)",
      ).choices(encodings),
    )
    .option("--device <name>", "as which device, for entities named {device}", device, device("local"))
    .addOption(
      new Option("--every <duration>", "how much later each next line came, where arrival is the event time")
        .argParser(duration)
        .default(1000, "1s"),
    );
}

/** When the first line came; its name differs from command to command. */
export function arrivalOption(flags: string): Option {
  return new Option(flags, "when the first line came, where arrival is the event time")
    .argParser(time)
    .default(Date.UTC(2026, 0, 1), "2026-01-01");
}

/** What a run over `files` needs of the options; `fromMs`: when the first line came. */
export function dataOf(
  { topic, withTopic, encoding, device, every }: DataOptions,
  fromMs: number,
): Pick<OfflineOptions, "topic" | "withTopic" | "encoding" | "device" | "arrival"> {
  return { topic, withTopic, encoding, device, arrival: { fromMs, everyMs: every } };
}

/** [SOURCE=]FILE, as often as it is given. */
export function parseData(data: readonly string[], task: Task, withTopic: boolean): readonly DataFile[] {
  const files = data.map((text) => parseFile(text, task, withTopic));
  if (files.filter(({ path }) => path === STDIN).length > 1)
    throw new HeadwaterError("config-invalid", "--data: the standard input can be read only once");
  return files;
}

function parseFile(text: string, task: Task, withTopic: boolean): DataFile {
  const known = Object.keys(task.sources);
  const [, name, path] = /^([A-Za-z][A-Za-z0-9_-]{0,63})=(.+)$/.exec(text) ?? [];
  if (name !== undefined && path !== undefined) {
    if (known.includes(name)) return { source: name, path };
    // A file may have "=" in its name.
    if (!existsSync(text)) throw noSource(text, name, known);
  }
  if (withTopic) return { source: undefined, path: text };
  if (known.length > 1)
    throw new HeadwaterError(
      "config-invalid",
      `--data ${text}: of which source? Write SOURCE=${text}, or use --with-topic; there are ${known.join(", ")}`,
    );
  return { source: known[0], path: text };
}

function noSource(text: string, name: string, known: readonly string[]): HeadwaterError {
  const hint = didYouMean(name, known) || `; there are ${known.join(", ")}`;
  return new HeadwaterError("config-invalid", `--data ${text}: no source is called "${name}"${hint}`);
}

function device(text: string) {
  const id = parseDeviceId(text);
  if (id !== undefined) return id;
  throw new InvalidArgumentError(`expected a device's name such as pump-1, got "${text}".`);
}
