// Predictions made ahead, put where a device looks for its own.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import { lockFolder } from "../../shared/storage/folder-lock.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { WriteBatch } from "../batched-writes.js";
import type { Prediction } from "../fact.js";
import { PredictionLog } from "../infer/predictions.js";
import { telemetryMigrations } from "../storage.js";

/** Of one run; the agent keeps to its own bounds with the next prediction it makes. */
const KEEP = { rows: 5_000_000, ageMs: undefined, bytes: undefined } as const;

/** A device's predictions, while its agent is not running. */
export interface PredictionFolder {
  add(prediction: Prediction): void;
  /** Brings everything to disk and lets go of the folder. Throws `storage-full` when not all of it fitted. */
  close(): void;
}

/** Opens the predictions of a data folder. Throws `folder-locked` while its agent runs, `config-invalid` when it is none. */
export function openPredictionFolder(folder: string): PredictionFolder {
  const path = join(folder, "telemetry.db");
  if (!existsSync(path))
    throw new HeadwaterError(
      "config-invalid",
      `${folder} is no device's data folder: it has no telemetry.db`,
    );
  const lock = lockFolder(folder);
  try {
    const database = openSqlite({ path, durability: "normal", migrations: telemetryMigrations });
    const [clock, counters] = [systemClock, new Counters()];
    const batch = new WriteBatch(database, clock);
    const log = new PredictionLog({ database, batch, clock, counters, keep: KEEP });
    return {
      add: (prediction) => log.add(prediction),
      close() {
        log.flush();
        database.close();
        lock.release();
        const lost = counters.get("predictions.not-logged");
        if (lost > 0)
          throw new HeadwaterError("storage-full", `${lost} predictions did not fit into ${path}`);
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
