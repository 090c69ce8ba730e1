// Pictures of the dashboard for README and docs: fleets of pumps learn, choose a model and drift, and are photographed.
// `npm run screenshots`, or `npm run screenshots -- drift` for one fleet's.
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { defaultEngine } from "../dist/shared/model/engine.js";
import { parseTask } from "../dist/shared/task/parse.js";
import { startLiveFleet } from "../dist/simulator/live/live.js";
import { launchChromium } from "./chromium.js";

const FOLDER = "docs/images";
const WIDE = { width: 1200, height: 760 };
const PHONE = { width: 360, height: 700 };
const LOOK_MS = 100;
const MOMENT_MS = 300_000;

/** A column of its data has a score; the last is that of predictions. */
const isTested = ({ scores }) => scores.slice(0, -1).some((score) => score !== null);
const hasLearned = ({ finished }) => finished !== undefined;

/** Fleets by name: a task with what is changed in it, and pictures: name, place, size, theme, the moment. */
const FLEETS = {
  learn: {
    ...{ file: "examples/pumps/task.yaml", changes: [], rounds: 12 },
    pictures: [
      ["overview", "", WIDE, "light", hasLearned],
      ["overview-dark", "", WIDE, "dark", hasLearned],
      ["round", "rounds/2", WIDE, "light", hasLearned],
      ["devices", "devices", WIDE, "light", hasLearned],
      ["models", "models", WIDE, "light", hasLearned],
      ["phone", "", PHONE, "light", hasLearned],
    ],
  },
  select: {
    ...{ file: "examples/pumps/candidates.yaml", changes: [], rounds: 5 },
    pictures: [["candidates", "models", WIDE, "light", ({ selection }) => selection.winner !== undefined]],
  },
  drift: {
    file: "examples/pumps/drift.yaml",
    // Columns are tested too, and the stream is over sooner.
    changes: [
      ["drift: { at: 8d, kind: concept }", "drift: { at: 2d, kind: data }"],
      ["days: 18, history: 4, hoursPerSecond: 1", "days: 11, history: 4, hoursPerSecond: 2"],
      ["data: none", "data: ks"],
      ["max: 20", "max: 6"],
    ],
    rounds: undefined,
    pictures: [
      ["drift", "drift", WIDE, "light", ({ heat }) => heat.devices.filter(isTested).length >= 3],
      ["trial", "models", WIDE, "light", ({ trial }) => (trial?.evidence?.labelled ?? 0) > 0],
    ],
  },
};

mkdirSync(FOLDER, { recursive: true });
const browser = await launchChromium();
const wanted = process.argv.slice(2);
for (const [name, fleet] of Object.entries(FLEETS)) {
  if (wanted.length === 0 || wanted.includes(name)) await photograph(fleet);
}
await browser.close();

async function photograph({ file, changes, rounds, pictures }) {
  let onServing;
  const serving = new Promise((resolve) => {
    onServing = resolve;
  });
  const learning = startLiveFleet({
    ...{ task: parseTask(changed(readFileSync(file, "utf8"), changes)), rounds, onServing },
    ...{ folder: undefined, devices: undefined, seed: "1", engine: defaultEngine, workers: undefined },
    local: false,
  });
  const url = await Promise.race([serving, learning.then(({ statusUrl }) => statusUrl)]);
  for (const picture of pictures) await take(url, picture);
  await (await learning).stop();
}

function changed(yaml, changes) {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the task does not say ${from} any more`);
    return text.replace(from, to);
  }, yaml);
}

async function take(url, [name, place, viewport, colorScheme, isMoment]) {
  const page = await browser.newPage({ viewport, colorScheme });
  // Open before the moment comes: it may be short.
  await page.goto(`${url}#/${place}`);
  await page.locator("main > :not(.empty)").first().waitFor();
  await untilMoment(url, name, isMoment);
  await page.getByText("Asking the server").waitFor({ state: "hidden" });
  const path = `${FOLDER}/${name}.png`;
  await page.screenshot({ path, animations: "disabled" });
  process.stdout.write(`${path}  ${Math.round(statSync(path).size / 1024)} KiB\n`);
  await page.close();
}

async function untilMoment(url, name, isMoment) {
  const endMs = Date.now() + MOMENT_MS;
  while (Date.now() < endMs) {
    const response = await fetch(new URL("/api/status", url));
    const heat = await (await fetch(new URL("/api/drift", url))).json();
    if (isMoment({ ...(await response.json()), heat })) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`the moment of ${name} has not come in ${MOMENT_MS} ms`);
}
