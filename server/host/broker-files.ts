// The files for a broker of others, kept up to date in the data folder: whoever enrols a device writes them again.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { TaskId } from "../../shared/id.js";
import { writeDurably } from "../../shared/storage/durable-file.js";
import type { Database } from "../../shared/storage/port.js";
import { parseEndpoint } from "../../shared/transport/mqtt-endpoint.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import type { EnrolledDevices } from "./enrolled.js";
import { hashForMosquitto, mosquittoAcl, mosquittoConf, mosquittoPasswordLine } from "./mosquitto.js";

const brokerSchema = z.object({
  host: z.string(),
  port: z.int(),
  user: z.string(),
  hash: z.string().optional(),
});

export interface BrokerFilesOptions {
  readonly folder: string;
  readonly task: TaskId;
  /** The fleet's. */
  readonly database: Database;
  readonly enrolled: EnrolledDevices;
}

/** ACL, passwords and a sample configuration below `mosquitto/`. */
export class BrokerFiles {
  readonly folder: string;
  readonly #options: BrokerFilesOptions;

  constructor(options: BrokerFilesOptions) {
    this.#options = options;
    this.folder = resolve(options.folder, "mosquitto");
  }

  /**
   * From now on the fleet is served over this broker, and the server's user name there is its own or the one given.
   * Throws `config-invalid` for a user name that cannot stand in Mosquitto's files, or is a device's.
   */
  serveOver(endpoint: MqttEndpoint): void {
    const { task, database, enrolled } = this.#options;
    const { host, port } = parseEndpoint(endpoint);
    const user = endpoint.username ?? `server-${task}`;
    if (/[:\p{Cc}]/u.test(user) || user.trim() !== user || user === "") {
      throw new HeadwaterError(
        "config-invalid",
        `user name ${JSON.stringify(user)} cannot stand in an ACL file`,
      );
    }
    if (enrolled.list().some(({ device }) => device === user)) {
      throw new HeadwaterError("config-invalid", `the server's user name ${user} is an enrolled device's`);
    }
    const { password } = endpoint;
    const hash = password === undefined ? undefined : hashForMosquitto(password);
    const broker: z.infer<typeof brokerSchema> = {
      host,
      port,
      user,
      ...(hash === undefined ? {} : { hash }),
    };
    database.run("INSERT OR REPLACE INTO about (name, value) VALUES ('broker', ?)", JSON.stringify(broker));
    this.write();
  }

  /** The server's own user name at the broker of others, undefined without one. */
  get serverUser(): string | undefined {
    return this.#broker()?.user;
  }

  /** Writes the files if the fleet is served over a broker of others. True when it has. */
  write(): boolean {
    // Under the database's write lock, so that of two processes the one that knows more writes last.
    return this.#options.database.transaction(() => {
      const broker = this.#broker();
      if (broker === undefined) return false;
      const { task, enrolled } = this.#options;
      const { host, port, user, hash } = broker;
      const users = [...enrolled.mosquittoHashes(), ...(hash === undefined ? [] : [{ user, hash }])];
      const [aclFile, passwordFile] = [join(this.folder, "acl"), join(this.folder, "passwd")];
      makeFolder(this.folder);
      writeDurably(aclFile, mosquittoAcl(task, user), { mode: 0o600 });
      const lines = users.map((each) => `${mosquittoPasswordLine(each.user, each.hash)}\n`);
      writeDurably(passwordFile, lines.join(""), { mode: 0o600 });
      const conf = mosquittoConf({ host, port, aclFile, passwordFile });
      writeDurably(join(this.folder, "mosquitto.conf"), conf, { mode: 0o600 });
      return true;
    });
  }

  #broker(): z.infer<typeof brokerSchema> | undefined {
    const row = this.#options.database.get("SELECT value FROM about WHERE name = 'broker'");
    return row === undefined ? undefined : brokerSchema.parse(JSON.parse(String(row.value)));
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new HeadwaterError("storage-failed", `cannot make ${folder}: ${messageOf(cause)}`, { cause });
  }
}
