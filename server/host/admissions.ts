// Who has been let in. A device that is revoked is refused from its next connection on; this ends the one it has.

import type { KeyObject } from "node:crypto";
import type { Cancel, Clock } from "../../shared/clock.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { Logger } from "../../shared/log.js";
import type { EnrolledDevices } from "./enrolled.js";

export interface AdmissionsOptions {
  readonly enrolled: Pick<EnrolledDevices, "isKnown" | "publicKey" | "changes">;
  readonly disconnect: (device: DeviceId) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 2_000;

/** Lets enrolled devices in, and has them disconnected when another process revokes them. */
export class Admissions {
  readonly #options: AdmissionsOptions;
  /** The key each was enrolled with when it was let in: a device that is enrolled anew has another. */
  readonly #admitted = new Map<DeviceId, KeyObject>();
  #changes = 0;
  #cancel: Cancel = () => undefined;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
  }

  /** True when the device is enrolled and this is its password. */
  admit(device: DeviceId, password: string): boolean {
    const { enrolled } = this.#options;
    const key = enrolled.isKnown(device, password) ? enrolled.publicKey(device) : undefined;
    if (key !== undefined) this.#admitted.set(device, key);
    return key !== undefined;
  }

  /** Looks every two seconds whether another process has changed something, until cancelled. */
  watch(): Cancel {
    this.#look();
    return () => this.#cancel();
  }

  #look(): void {
    const { clock, logger } = this.#options;
    this.#cancel = clock.after(LOOK_MS, () => this.#look());
    try {
      this.#expel();
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      logger.warn({ error: messageOf(error), retryMs: LOOK_MS }, "could not look for revoked devices");
    }
  }

  #expel(): void {
    const { enrolled, disconnect, logger } = this.#options;
    const changes = enrolled.changes();
    if (changes === this.#changes) return;
    for (const [device, key] of this.#admitted) {
      if (enrolled.publicKey(device)?.equals(key)) continue;
      this.#admitted.delete(device);
      logger.info({ device }, "device revoked");
      disconnect(device);
    }
    this.#changes = changes;
  }
}
