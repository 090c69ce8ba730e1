import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../../shared/log.js";
import { ConnectionLog } from "../../../../shared/transport/connection-log.js";

function start() {
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger = { ...silentLogger, info: write("info"), warn: write("warn"), error: write("error") };
  return { lines, log: new ConnectionLog(logger) };
}

const failure = { reason: "ECONNREFUSED", isRefused: false, wasConnected: false, retryMs: 1000 };

describe("a connection's log", () => {
  test("tells each reason once, and then at every power of ten", () => {
    const { lines, log } = start();
    for (let i = 0; i < 150; i++) log.failed(failure);
    log.failed({ ...failure, reason: "ENOTFOUND" });
    expect(lines.map((line) => /"reason":"(\w+)","count":(\d+)/.exec(line)?.slice(1).join(" "))).toEqual([
      "ECONNREFUSED 1",
      "ECONNREFUSED 10",
      "ECONNREFUSED 100",
      "ENOTFOUND 1",
    ]);
  });

  test("tells it again after the connection had been good for a while", () => {
    const { lines, log } = start();
    log.failed(failure);
    log.connected();
    log.steady();
    log.failed(failure);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe('info connected to the broker {"failures":1}');
  });

  test("calls a refusal an error, which somebody has to see to", () => {
    const { lines, log } = start();
    log.failed({ ...failure, isRefused: true });
    expect(lines[0]).toMatch(/^error .*credentials/);
  });

  test("does not grow with reasons that never end", () => {
    const { lines, log } = start();
    for (let i = 0; i < 1000; i++) log.failed({ ...failure, reason: `${i}` });
    expect(lines.length).toBeLessThan(30);
  });
});
