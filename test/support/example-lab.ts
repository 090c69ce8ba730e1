// An example of examples/, run as its README says: in a folder of its own, with brokers and ports that are free.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDeviceFolder } from "../../device/host/device-folder.js";
import { ModelCache } from "../../device/model/cache.js";
import { hashBlob } from "../../device/model/hashed-blob.js";
import { keepTask } from "../../device/task-record.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import { parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import { deviceId, serverKeys } from "./device-kit.js";
import { ManualClock } from "./manual-clock.js";
import { Program } from "./program.js";
import { ScriptedServer } from "./scripted-server.js";
import { tempFolder } from "./temp-folder.js";

/** One example, its server, and its devices. */
export class ExampleLab {
  readonly #files = tempFolder();
  readonly #running: Program[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Where the example lies while it runs. */
  get folder(): string {
    return join(this.#files.path, this.#name);
  }

  at(file: string): string {
    return join(this.folder, file);
  }

  /** Copies the example. Before anything else. */
  open(): void {
    cpSync(new URL(`../../examples/${this.#name}/`, import.meta.url), this.folder, { recursive: true });
  }

  /** Changes a file of it, as whoever follows the README may. */
  edit(file: string, change: (text: string) => string): void {
    writeFileSync(this.at(file), change(readFileSync(this.at(file), "utf8")));
  }

  /** Enrols the device of device.yaml and starts the server; resolves to its broker's URL, which device.yaml then names. */
  async startServer(device: string, task = "task.yaml"): Promise<Program> {
    const data = this.at("server-data");
    const out = ["--data", data, "--task", this.at(task), "--out", this.folder];
    const { code } = await this.run("enrol", device, ...out).exit;
    if (code !== 0) throw new Error(`could not enrol ${device}`);
    const server = this.run("server", this.at(task), "--data", data, "--listen", "127.0.0.1:0", "--no-http");
    const [, url] = await server.said(/ready: (\S+)/);
    this.edit("device.yaml", (text) => text.replace(/^server: .*$/m, `server: ${url}`));
    return server;
  }

  /**
   * Makes the data folder of device.yaml as if the server had been there: the task adopted, a version to serve with random
   * params. For examples whose point is not the training.
   */
  async prepareDevice(device: string): Promise<void> {
    const loaded = parseTask(readFileSync(this.at("task.yaml"), "utf8"));
    const { task } = loaded.task;
    const serverKey = rawPublicKey(serverKeys.publicKey);
    const secrets = {
      password: "a-password-of-some-length",
      privateKey: new Uint8Array(32).fill(1),
      serverKey,
    };
    const credential = formatCredential({ device: deviceId(device), task, ...secrets });
    writeFileSync(this.at(`${device}.credential.json`), credential);
    const runtime = await createTfjsRuntime("tfjs-cpu");
    const server = new ScriptedServer(createMemoryBroker({ clock: new ManualClock() }), loaded);
    const manifest = await server.version(1, runtime);
    runtime.dispose();
    const folder = openDeviceFolder(this.at(`${device}-data`), {
      device: deviceId(device),
      limits: { diskBytes: 1e8 },
      rawLog: { durability: "normal", bytes: 1e8 },
    });
    keepTask(folder.state, server.signedTask());
    const blob = hashBlob(server.blob(manifest.sha256)!);
    new ModelCache(folder.state).arrange({ stable: manifest }, { blob });
    folder.close();
    // Nobody is there.
    this.edit("device.yaml", (text) => text.replace(/^server: .*$/m, "server: mqtt://127.0.0.1:1"));
  }

  /** A `headwater` process that ends with the lab at the latest. */
  run(...args: readonly string[]): Program {
    const program = Program.start(args);
    this.#running.push(program);
    return program;
  }

  /** Runs a `headwater` command to its end; throws with what it said when it fails. */
  async output(...args: readonly string[]): Promise<string> {
    const program = this.run(...args);
    const { code } = await program.exit;
    if (code !== 0) throw new Error(`headwater ${args.join(" ")}: ${program.stderr}`);
    return program.stdout;
  }

  async close(): Promise<void> {
    for (const program of this.#running.splice(0).reverse()) await program.stop();
  }
}
