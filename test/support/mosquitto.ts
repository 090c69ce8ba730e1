// A real Mosquitto, where one is installed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { until } from "./until.js";

const MOSQUITTO = "/usr/sbin/mosquitto";

/** False where its tests cannot run. */
export const hasMosquitto = existsSync(MOSQUITTO);

/** A test's name, saying why it is skipped where it is. */
export function withMosquitto(name: string): string {
  return hasMosquitto ? name : `${name} (skipped: there is no ${MOSQUITTO})`;
}

export interface MosquittoOptions {
  /** A free one if absent. */
  readonly port?: number;
  /** Lines of its configuration instead of `allow_anonymous true`. */
  readonly config?: readonly string[];
}

/** A broker process. */
export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** Kills it as a crash would; everything it kept is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const { port = await freePort(), config = ["allow_anonymous true"] } = options;
  const folder = mkdtempSync(join(tmpdir(), "headwater-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  // Started by root it would become somebody who may not read a test's files.
  const lines = ["user root", `listener ${port} 127.0.0.1`, "persistence false", "set_tcp_nodelay true"];
  writeFileSync(file, `${[...lines, ...config].join("\n")}\n`);
  let child = await start(file, port);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      child = await start(file, port);
    },
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(file: string, port: number): Promise<ChildProcess> {
  const child = spawn(MOSQUITTO, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}\n${said}`);
    return isListening(port);
  });
  return child;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
