// The last report of each device, on disk: what the fleet is like is known again right after a restart.

import type { DeviceId } from "../../shared/id.js";
import type { Database } from "../../shared/storage/port.js";
import { type DeviceReport, reportSchema } from "../../shared/wire/report.js";

/** A report and when it came. */
export interface ReceivedReport {
  readonly report: DeviceReport;
  readonly receivedMs: number;
}

/** The table `reports`. */
export class ReportStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** By device; the newest is the last. */
  load(): Map<DeviceId, ReceivedReport> {
    const rows = this.#database.all(
      "SELECT device, received_ms, report FROM reports ORDER BY received_ms, device",
    );
    return new Map(
      rows.flatMap((row) => {
        const parsed = reportSchema.safeParse(JSON.parse(String(row.report)));
        const received = parsed.success && { report: parsed.data, receivedMs: Number(row.received_ms) };
        // Only ids that were checked are written.
        return received ? [[String(row.device) as DeviceId, received] as const] : [];
      }),
    );
  }

  /** In one transaction: reports to keep in place of the ones before, and undefined for devices to forget. */
  write(changes: ReadonlyMap<DeviceId, ReceivedReport | undefined>): void {
    this.#database.transaction(() => {
      for (const [device, received] of changes) this.#write(device, received);
    });
  }

  #write(device: DeviceId, received: ReceivedReport | undefined): void {
    if (received === undefined) {
      this.#database.run("DELETE FROM reports WHERE device = ?", device);
      return;
    }
    this.#database.run(
      "INSERT OR REPLACE INTO reports (device, received_ms, report) VALUES (?, ?, ?)",
      ...[device, received.receivedMs, JSON.stringify(received.report)],
    );
  }
}
