// The devices that may take part, in a database of their own: several processes may have it open, so that a device can
// be enrolled while the server runs, and the server knows it from the next question on.

import { createHash, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import { assert } from "../../shared/assert.js";
import type { Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId, TaskId } from "../../shared/id.js";
import type { Database, Migrations } from "../../shared/storage/port.js";
import type { Credential } from "../../shared/wire/credential.js";
import { generateKeys, publicKeyFromRaw } from "../../shared/wire/signature.js";
import { hashForMosquitto } from "./mosquitto.js";

/** Open the database with these and with durability `full`: an enrolled device must stay one. */
export const fleetMigrations: Migrations = [
  `
  -- What the folder belongs to, and the broker of others it is served over.
  CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE devices (
    device TEXT PRIMARY KEY, public_key BLOB NOT NULL, password_sha256 BLOB NOT NULL, password_mosquitto TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

/** One device, as enrolled. */
export interface EnrolledDevice {
  readonly device: DeviceId;
  readonly enrolledMs: number;
}

export interface EnrolledDevicesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly task: TaskId;
  /** The server's Ed25519 public key, which every device pins. */
  readonly serverKey: KeyObject;
}

/** What a device is given that has made its key itself. */
export type KeylessCredential = Omit<Credential, "privateKey">;

const PASSWORD_BYTES = 32;

/** Answers from the database each time: nothing is remembered that another process could have changed since. */
export class EnrolledDevices {
  readonly #options: EnrolledDevicesOptions;
  /** Everybody, as of a state of the database; undefined once this object has changed it. */
  #listed: { readonly changes: number; readonly devices: readonly EnrolledDevice[] } | undefined;

  constructor(options: EnrolledDevicesOptions) {
    this.#options = options;
  }

  /** The key its updates are verified with, undefined for a device that is not enrolled. */
  publicKey(device: DeviceId): KeyObject | undefined {
    const row = this.#options.database.get("SELECT public_key FROM devices WHERE device = ?", device);
    return row?.public_key instanceof Uint8Array ? publicKeyFromRaw(row.public_key) : undefined;
  }

  has(device: DeviceId): boolean {
    return this.#options.database.get("SELECT 1 FROM devices WHERE device = ?", device) !== undefined;
  }

  /** True when the device is enrolled and this is its password. */
  isKnown(device: DeviceId, password: string): boolean {
    const row = this.#options.database.get("SELECT password_sha256 FROM devices WHERE device = ?", device);
    if (!(row?.password_sha256 instanceof Uint8Array)) return false;
    return timingSafeEqual(sha256(password), row.password_sha256);
  }

  /** Every device, by id. The same list as the last time while nothing has changed. */
  list(): readonly EnrolledDevice[] {
    const changes = this.changes();
    if (this.#listed?.changes !== changes) this.#listed = { changes, devices: this.#read() };
    return this.#listed.devices;
  }

  /** Lets a device take part, with a key made for it. Throws `config-invalid` when it is enrolled already. */
  enrol(device: DeviceId): Credential {
    const { privateKey, publicKey } = generateKeys();
    return { ...this.enrolWithKey(device, publicKey), privateKey: rawHalf(privateKey, "d") };
  }

  /** The same for a device that has made its key itself: the private half never leaves it. */
  enrolWithKey(device: DeviceId, publicKey: KeyObject): KeylessCredential {
    const { database, clock, task, serverKey } = this.#options;
    this.#listed = undefined;
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    // 256 random bits cannot be guessed from their hash, however fast it is.
    const added = database.run(
      "INSERT OR IGNORE INTO devices (device, public_key, password_sha256, password_mosquitto, enrolled_ms) VALUES (?, ?, ?, ?, ?)",
      ...[device, rawHalf(publicKey, "x"), sha256(password), hashForMosquitto(password), clock.now()],
    );
    if (added === 0) {
      throw new HeadwaterError("config-invalid", `device ${device} is enrolled already: revoke it first`);
    }
    return { device, task, password, serverKey: rawHalf(serverKey, "x") };
  }

  /** The device may not take part any more. False when it was not enrolled. */
  revoke(device: DeviceId): boolean {
    this.#listed = undefined;
    return this.#options.database.run("DELETE FROM devices WHERE device = ?", device) > 0;
  }

  /** Another number whenever another process has changed something. */
  changes(): number {
    return Number(this.#options.database.get("PRAGMA data_version")?.data_version);
  }

  #read(): EnrolledDevice[] {
    const rows = this.#options.database.all("SELECT device, enrolled_ms FROM devices ORDER BY device");
    return rows.map((row) => ({
      device: String(row.device) as DeviceId,
      enrolledMs: Number(row.enrolled_ms),
    }));
  }

  /** What Mosquitto checks passwords against, by user name. */
  mosquittoHashes(): readonly { readonly user: string; readonly hash: string }[] {
    const rows = this.#options.database.all("SELECT device, password_mosquitto FROM devices ORDER BY device");
    return rows.map((row) => ({ user: String(row.device), hash: String(row.password_mosquitto) }));
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

/** RFC 8037, section 2: "x" is the public key, "d" the private one, both 32 bytes. */
export function rawHalf(key: KeyObject, half: "x" | "d"): Uint8Array {
  assert(key.asymmetricKeyType === "ed25519", "devices and servers sign with Ed25519");
  const text = key.export({ format: "jwk" })[half];
  assert(text !== undefined, `the key has no ${half}`);
  return new Uint8Array(Buffer.from(text, "base64url"));
}
