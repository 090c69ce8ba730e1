// examples/batch-scoring, as its README says.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { ExampleLab } from "../../support/example-lab.js";
import { freePort } from "../../support/free-port.js";

const lab = new ExampleLab("batch-scoring");

afterAll(() => lab.close());

test("the day ahead is scored from its forecast, and the device answers for it", async () => {
  lab.open();
  execFileSync(process.execPath, [lab.at("make-data.js"), "--truth"]);
  const port = await freePort();
  lab.edit("device.yaml", (text) => text.replace(":9464", `:${port}`));
  const server = await lab.startServer("office");
  const device = lab.run("device", lab.at("device.yaml"));
  await server.said(/training is over/);
  await device.said(/serving a version/);
  await device.stop();
  const folder = lab.at("office-data");
  await lab.output("predict", folder, "--data", lab.at("ahead.csv"), "--store", folder);
  const range = ["--from", "2026-03-02", "--to", "2026-03-03"];
  const csv = await lab.output("data", "export", folder, "--what", "predictions", ...range);
  const predicted = new Map(
    records(csv).map(({ time, entity, value }) => [`${Date.parse(time!) / 1000} ${entity}`, Number(value)]),
  );
  expect(predicted.size).toBe(48);
  const truth = records(readFileSync(lab.at("truth.csv"), "utf8"));
  const error = (guess: (row: Record<string, string>) => number) =>
    Math.sqrt(truth.reduce((sum, row) => sum + (guess(row) - Number(row.kw)) ** 2, 0) / truth.length);
  const ofModel = error(({ ts, site }) => predicted.get(`${ts} ${site}`)!);
  const yesterday = new Map(
    records(readFileSync(lab.at("history.csv"), "utf8"))
      .slice(-48)
      .map(({ ts, site, kw }) => [`${Number(ts) + 86_400} ${site}`, Number(kw)]),
  );
  // Monday after Sunday: whoever guesses that tomorrow is like today misses the working hours.
  expect(ofModel).toBeLessThan(0.5 * error(({ ts, site }) => yesterday.get(`${ts} ${site}`)!));
  const again = lab.run("device", lab.at("device.yaml"));
  await again.said(/running: office/);
  const query = "entity=north&from=2026-03-02&to=2026-03-03&limit=1000";
  const answer = (await (await fetch(`http://127.0.0.1:${port}/predictions?${query}`)).json()) as {
    readonly predictions: readonly { readonly timeMs: number; readonly value: number }[];
  };
  expect(answer.predictions).toHaveLength(24);
  const [last] = answer.predictions;
  expect(last?.value).toBe(predicted.get(`${last!.timeMs / 1000} north`));
}, 120_000);

function records(csv: string): Record<string, string>[] {
  const [header = "", ...lines] = csv.trimEnd().split("\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, at) => [names[at]!, cell])));
}
