// What a line of the log bears: its event, and a level that says whether somebody should look.

import { describe, expect, test } from "vitest";
import type { ServerFact } from "../../../../server/fact.js";
import { logFact } from "../../../../server/host/fact-log.js";
import type { DeviceId } from "../../../../shared/id.js";
import { type LogFields, type Logger, silentLogger } from "../../../../shared/log.js";

const device = "pump-1" as DeviceId;

function linesOf(fact: ServerFact) {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const write = (level: string) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  const logger: Logger = {
    ...silentLogger,
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
  logFact(logger, fact);
  return lines;
}

describe("a fact", () => {
  test.each<[string, ServerFact]>([
    ["warn", { type: "quarantined", device, reason: "drift" }],
    ["info", { type: "quarantine-lifted", device, reason: "calm" }],
    ["info", { type: "gate", version: 2, passed: false, value: 1, reference: 2 }],
    ["warn", { type: "gate", version: 2, passed: false, value: undefined, reference: undefined }],
    ["info", { type: "finished", reason: "max-rounds", version: 2 }],
  ])("is logged once, under its name, at %s: %j", (level, fact) => {
    const { type: event, ...facts } = fact;
    expect(linesOf(fact)).toEqual([{ level, fields: { event, ...facts }, message: expect.any(String) }]);
  });
});
