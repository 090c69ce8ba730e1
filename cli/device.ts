// `headwater device CONFIG`: the agent at the edge, until it is told to stop.

import type { Command } from "commander";
import { loadDeviceConfig } from "../device/host/config.js";
import { startDeviceHost } from "../device/host/host.js";
import { createTrainerPool } from "../device/train/pool.js";
import { spawnWorker } from "../device/train/pool-worker.js";
import { createLogger } from "../shared/log.js";
import { defaultEngine } from "../shared/model/engine.js";
import { spawnInSmallHeap } from "./small-heap.js";
import { notifySystemd } from "./systemd.js";
import { untilStopped } from "./until-stopped.js";

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("device")
    .description("run the agent on a device, until it is stopped")
    .argument("<config>", "config file (YAML): server, credential, data folder, where the sensors are")
    .action((path: string) => run(path));
}

async function run(path: string): Promise<void> {
  const config = loadDeviceConfig(path);
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
  logger.info({ signal, device }, "stopping");
  notifySystemd("stopping");
  await host.stop();
  await trainer.close();
}
