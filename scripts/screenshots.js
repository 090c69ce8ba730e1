// Pictures of the dashboard for README and docs: a fleet of pumps learns, and is photographed. `npm run screenshots`.
import { mkdirSync, statSync } from "node:fs";
import { chromium } from "playwright-core";
import { loadTaskFile } from "../dist/cli/task-file.js";
import { defaultEngine } from "../dist/shared/model/engine.js";
import { startLiveFleet } from "../dist/simulator/live/live.js";

const FOLDER = "docs/images";
const WIDE = { width: 1200, height: 760 };
const PHONE = { width: 360, height: 700 };

/** Name, place, size, theme. */
const PICTURES = [
  ["overview", "", WIDE, "light"],
  ["overview-dark", "", WIDE, "dark"],
  ["round", "rounds/1", WIDE, "light"],
  ["devices", "devices", WIDE, "light"],
  ["models", "models", WIDE, "light"],
  ["phone", "", PHONE, "light"],
];

const fleet = await startLiveFleet({
  task: loadTaskFile("examples/pumps/task.yaml"),
  ...{
    folder: undefined,
    devices: undefined,
    rounds: 12,
    seed: "1",
    engine: defaultEngine,
    workers: undefined,
  },
  local: false,
});
const browser = await chromium.launch({
  executablePath: process.env.HEADWATER_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});
mkdirSync(FOLDER, { recursive: true });
for (const [name, place, viewport, colorScheme] of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(`${fleet.statusUrl}#/${place}`);
  await page.locator("main > :not(.empty)").first().waitFor();
  await page.getByText("Asking the server").waitFor({ state: "hidden" });
  const path = `${FOLDER}/${name}.png`;
  await page.screenshot({ path, animations: "disabled" });
  process.stdout.write(`${path}  ${Math.round(statSync(path).size / 1024)} KiB\n`);
  await page.close();
}
await browser.close();
await fleet.stop();
