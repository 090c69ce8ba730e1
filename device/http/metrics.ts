// GET /metrics: what the device counts and measures, for Prometheus.

import { EXPOSITION_TYPE } from "../../shared/metrics/exposition.js";
import { renderDeviceMetrics } from "../metrics/page.js";
import type { HttpPart } from "./port.js";

export const metricsPart: HttpPart = (app, sources) => {
  app.get("/metrics", async (_, reply) => {
    const { agent, clock, counters, meter, version, startedMs } = sources;
    const page = renderDeviceMetrics({
      process: { version, startedMs, counters: counters.toJSON() },
      status: agent.status(),
      nowMs: clock.now(),
      isTelemetryConnected: sources.isTelemetryConnected(),
      task: agent.task()?.task,
      monitor: agent.monitor(),
      meter,
    });
    return reply.type(EXPOSITION_TYPE).send(page);
  });
};
