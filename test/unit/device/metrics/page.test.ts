import { expect, test } from "vitest";
import { VersionWatch } from "../../../../device/monitor/version-watch.js";
import { Counters } from "../../../../shared/counters.js";
import { deviceMetrics } from "../../../../shared/metrics/table.js";
import { randomStream } from "../../../../shared/random.js";
import { denseModel } from "../../../support/model.js";
import { monitorSpec, rowAt } from "../../../support/monitor-lab.js";

test("every column that a monitor watches has a series of its own: distances told together would mean nothing", () => {
  const columns = Array.from({ length: 300 }, (_, at) => `c${at}`);
  const watch = new VersionWatch({
    ...{
      spec: monitorSpec({ data: { ks: { rows: 50 } } }),
      definition: denseModel({}, columns.length),
      columns,
    },
    scaler: { offset: [], factor: [], label: { offset: 0, factor: 1 } },
    ...{ reference: () => [], counters: new Counters() },
  });
  const random = randomStream("columns", "watched");
  for (let i = 0; i < 1_000; i++) {
    const features = Float32Array.from(columns, () => random.normal());
    watch.row({ ...rowAt(i * 1000), features }, random.normal());
  }
  expect(watch.columns).toHaveLength(257);
  for (const name of ["headwater_data_drift_statistic", "headwater_data_drift_alarm"] as const) {
    expect(deviceMetrics[name].seriesMax).toBeGreaterThanOrEqual(watch.columns.length);
  }
});
