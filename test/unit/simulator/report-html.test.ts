import { describe, expect, test } from "vitest";
import { improvementPercent } from "../../../simulator/report.js";
import { renderReport } from "../../../simulator/report-html.js";
import { sampleDrift } from "../../support/sample-drift.js";
import { sampleReport } from "../../support/sample-report.js";

function dataOf(page: string): unknown {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!);
}

describe("the report page", () => {
  test("carries the whole report", () => {
    expect(dataOf(renderReport(sampleReport))).toEqual(sampleReport);
  });

  test("fetches nothing: no address, no source file, no import", () => {
    const page = renderReport(sampleReport);
    expect(page).not.toMatch(
      /<(?:link|img|iframe)\b|\s(?:src|href)=|@import|\burl\(|\bfetch\(|XMLHttpRequest/,
    );
    expect(page).toContain("uPlot");
  });

  test("has a row per round, and a dash where a round made no version", () => {
    const page = renderReport(sampleReport);
    expect(page).toContain(
      "<tr><td>1</td><td>2.5</td><td>8</td><td>0</td><td>51,456</td><td>65,704</td></tr>",
    );
    expect(page).toContain("<tr><td>2</td><td>-</td><td>3</td><td>1</td>");
  });

  test("says by how much federated is better or worse", () => {
    const page = renderReport(sampleReport);
    expect(page).toContain("federated is 50.0 % better");
    expect(page).toContain("federated is 25.0 % worse");
  });

  test("shows what was trained alone for what it is when federated itself has no value", () => {
    const page = renderReport({ ...sampleReport, federated: null });
    expect(page).toContain("federated has no value");
    expect(page).not.toContain("not trained");
    expect(page).not.toContain("nothing to compare");
    expect(page).toContain("<b>&ndash;</b>");
  });

  test("says why there is no other value", () => {
    const page = renderReport({ ...sampleReport, localOnly: null, naive: null });
    expect(page).toContain("not trained");
    expect(page).toContain("nothing to compare");
  });

  test("names the devices that diverged instead of a value", () => {
    const page = renderReport({ ...sampleReport, localOnly: null, diverged: ["pump-3", "pump-5"] });
    expect(page).toContain("diverged: pump-3, pump-5");
    expect(page).not.toContain("NaN");
  });

  test("lets no name end a script or become a tag", () => {
    const task = "</script><script>alert(1)</script>";
    const page = renderReport({ ...sampleReport, task });
    expect(page).not.toContain(task);
    expect(dataOf(page)).toMatchObject({ task });
  });
});

describe("the improvement over a reference", () => {
  test.each([
    ["rmse", 2, 4, 50],
    ["rmse", 5, 4, -25],
    ["accuracy", 0.9, 0.6, 50],
    ["accuracy", 0.3, 0.6, -50],
  ] as const)("%s %d against %d is %d %%", (metric, value, reference, percent) => {
    expect(improvementPercent(metric, value, reference)).toBeCloseTo(percent, 9);
  });

  test("is unknown without both values", () => {
    expect(improvementPercent("rmse", null, 4)).toBeUndefined();
    expect(improvementPercent("rmse", 2, null)).toBeUndefined();
  });
});

test("a drift has a section with what happened, and a report without one has none", () => {
  const page = renderReport({ ...sampleReport, drift: sampleDrift });
  expect(page).toContain("From drift to recovery");
  expect(page).toContain("<li>+6.0 h: version 9 on trial, served by pump-1, pump-3: promoted</li>");
  expect(renderReport(sampleReport)).not.toContain("From drift to recovery");
});
