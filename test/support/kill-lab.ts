// A `headwater device` process without a server, its task kept from before, that is killed and started again.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDeviceFolder } from "../../device/host/device-folder.js";
import { telemetryMigrations } from "../../device/storage.js";
import { keepTask } from "../../device/task-record.js";
import { openSqliteReadOnly } from "../../shared/storage/sqlite.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { formatCredential } from "../../shared/wire/credential.js";
import { rawPublicKey } from "../../shared/wire/signature.js";
import { deviceId, serverKeys, taskId } from "./device-kit.js";
import { ManualClock } from "./manual-clock.js";
import { Program } from "./program.js";
import { ScriptedServer } from "./scripted-server.js";

/** A device on disk. */
export interface KillLab {
  readonly data: string;
  /** Starts a process. */
  start(): Program;
  /** Stored examples as text, in the order they were stored. */
  examples(): readonly string[];
}

/** Prepares a folder; `config` is YAML of the device's own: its sources. The task must be called `linear`. */
export function prepareDevice(folder: string, task: LoadedTask, config: string): KillLab {
  const [device, data] = [deviceId("pump-1"), join(folder, "data")];
  const opened = openDeviceFolder(data, {
    device,
    limits: { diskBytes: 1e9 },
    rawLog: { durability: "normal", bytes: 1e9 },
  });
  const memory = createMemoryBroker({ clock: new ManualClock() });
  keepTask(opened.state, new ScriptedServer(memory, task).signedTask());
  opened.close();
  const serverKey = rawPublicKey(serverKeys.publicKey);
  const credential = { device, task: taskId("linear"), password: "a-password-of-some-length" };
  const keys = { privateKey: new Uint8Array(32).fill(1), serverKey };
  writeFileSync(join(folder, "pump-1.json"), formatCredential({ ...credential, ...keys }));
  const path = join(folder, "device.yaml");
  writeFileSync(path, `server: mqtt://127.0.0.1:1\ncredential: pump-1.json\ndata: data\n${config}`);
  return { data, start: () => Program.start(["device", path]), examples: () => readExamples(data) };
}

function readExamples(data: string): readonly string[] {
  const database = openSqliteReadOnly({ path: join(data, "telemetry.db"), migrations: telemetryMigrations });
  try {
    return database
      .all("SELECT split, entity, time_ms, label, features FROM example ORDER BY id")
      .map(({ split, entity, time_ms, label, features }) => {
        const bytes = Buffer.from(features as Uint8Array).toString("hex");
        return [split, entity, time_ms, label, bytes].join(" ");
      });
  } finally {
    database.close();
  }
}
