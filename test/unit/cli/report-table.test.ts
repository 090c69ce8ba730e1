import { expect, test } from "vitest";
import { describeReport } from "../../../cli/report-table.js";
import { sampleDrift } from "../../support/sample-drift.js";
import { sampleReport } from "../../support/sample-report.js";

test("the table compares, and the lines below say what it took", () => {
  const text = describeReport(sampleReport);
  expect(text).toMatch(/federated\s+│ 2\.500\s+│/);
  expect(text).toMatch(/each device alone\s+│ 5\.000\s+│ 50\.0 %/);
  expect(text).toMatch(/naive \(persistence\)\s+│ 2\.000\s+│ -25\.0 %/);
  expect(text).toContain("\nfederated: mae 1.75, loss 0.5\n");
  expect(text).toContain("8 devices, 2 rounds");
  expect(text).toContain("11 updates accepted, 1 rejected");
  expect(text).toContain("15.1 s on tfjs-wasm");
  expect(text.endsWith("\n")).toBe(true);
});

test("devices that diverged are counted, and no value stands for them", () => {
  const text = describeReport({ ...sampleReport, localOnly: null, diverged: ["pump-3"] });
  expect(text).toContain("diverged (1 of 8 devices)");
  expect(text).not.toContain("NaN");
});

test("without lone training there is no row for it; when some devices never took part, it says so", () => {
  expect(describeReport({ ...sampleReport, localOnly: null, localDevices: 0 })).not.toContain("alone");
  expect(describeReport({ ...sampleReport, localDevices: 5 })).toContain(
    "each device alone (5 of 8 took part)",
  );
});

test("what became of a drift stands below the table", () => {
  const text = describeReport({ ...sampleReport, drift: sampleDrift });
  expect(text).toContain("\nthe fleet saw it after 2.0 h, the first device after 1.0 h\n");
  expect(text).toContain("recovered\n8 devices, 2 rounds");
});
