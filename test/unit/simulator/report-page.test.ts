import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderReport } from "../../../simulator/report-html.js";
import { sampleDrift } from "../../support/sample-drift.js";
import { sampleReport } from "../../support/sample-report.js";
import { tempFolder } from "../../support/temp-folder.js";

const chromium = "/usr/bin/chromium";
const folder = tempFolder();

/** The page's elements after its scripts ran. */
function dumpDom(page: string): string {
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    `--user-data-dir=${join(folder.path, "user")}`,
  ];
  const url = `file://${folder.write("report.html", page)}`;
  return spawnSync(chromium, [...flags, "--dump-dom", url], { encoding: "utf8", timeout: 45_000 }).stdout;
}

describe.skipIf(!existsSync(chromium))(`in a browser (needs ${chromium})`, () => {
  test.each([
    ["a report", sampleReport],
    ["a report without any value", { ...sampleReport, federated: null, localOnly: null, naive: null }],
  ])("%s draws its two curves", (_, report) => {
    const dom = dumpDom(renderReport(report));
    expect(dom.match(/<canvas\b/g)).toHaveLength(2);
  });

  test("a report with a drift draws its course as well", () => {
    const dom = dumpDom(renderReport({ ...sampleReport, drift: sampleDrift }));
    expect(dom.match(/<canvas\b/g)).toHaveLength(3);
  });
});
