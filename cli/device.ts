// `headwater device CONFIG`: the agent at the edge, until it is told to stop.

import type { Command } from "commander";
import { loadDeviceConfig } from "../device/host/config.js";
import { startDeviceHost } from "../device/host/host.js";
import { createLogger } from "../shared/log.js";
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
  const host = await startDeviceHost(config, { logger });
  const { device, task } = config.credential;
  process.stdout.write(
    `running: ${device}, task ${task}, server ${config.server.url}, data in ${config.data}\n`,
  );
  notifySystemd("ready");
  const signal = await stopped;
  logger.info({ signal, device }, "stopping");
  notifySystemd("stopping");
  await host.stop();
}
