// `headwater device CONFIG`: the agent at the edge, until it is told to stop.

import { type Command, InvalidArgumentError, Option } from "commander";
import { loadDeviceConfig, withLabels } from "../device/host/config.js";
import { startDeviceHost } from "../device/host/host.js";
import { createTrainerPool } from "../device/train/pool.js";
import { spawnWorker } from "../device/train/pool-worker.js";
import { createLogger } from "../shared/log.js";
import { defaultEngine } from "../shared/model/engine.js";
import { LABELS_MAX, type Labels, labelsSchema } from "../shared/wire/message.js";
import { spawnInSmallHeap } from "./small-heap.js";
import { notifySystemd } from "./systemd.js";
import { untilStopped } from "./until-stopped.js";

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("device")
    .description("run the agent on a device, until it is stopped")
    .argument("<config>", "config file (YAML): server, credential, data folder, where the sensors are")
    .addOption(
      new Option(
        "--label <key=value>",
        "what the device is, beside or instead of the config's labels; may be repeated",
      )
        .argParser(addLabel)
        .default({}, "none"),
    )
    .action((path: string, { label }: { readonly label: Labels }) => run(path, label));
}

function addLabel(text: string, before: Labels): Labels {
  const [key = "", ...rest] = text.split("=");
  const labels = labelsSchema.safeParse({ ...before, [key]: rest.join("=") });
  if (labels.success) return labels.data;
  throw new InvalidArgumentError(
    `expected key=value such as site=lab (a key of A-Z a-z 0-9 _ -, at most ${LABELS_MAX} labels), got "${text}".`,
  );
}

async function run(path: string, labels: Labels): Promise<void> {
  const file = loadDeviceConfig(path);
  const config = { ...file, labels: withLabels(file.labels, labels) };
  const logger = createLogger(config.log);
  const stopped = untilStopped();
  // One thread: training must not take the machine from what else it does.
  const spawn = spawnInSmallHeap(spawnWorker);
  const trainer = await createTrainerPool({ workers: 1, engine: defaultEngine, spawn });
  const host = await startDeviceHost(config, { logger, trainer }).catch(async (error: unknown) => {
    await trainer.close();
    throw error;
  });
  const { device, task } = config.credential;
  process.stdout.write(
    `running: ${device}, task ${task}, server ${config.server.url}, data in ${config.data}\n`,
  );
  notifySystemd("ready");
  const signal = await stopped;
  logger.info({ device, component: "host", event: "stopping", signal }, "stopping");
  notifySystemd("stopping");
  await host.stop();
  await trainer.close();
}
