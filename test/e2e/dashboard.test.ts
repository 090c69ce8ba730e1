// The dashboard in a real browser, over real servers.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadTaskFile } from "../../cli/task-file.js";
import { selectionSchema } from "../../server/http/schema.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";
import { type LiveFleet, startLiveFleet } from "../../simulator/live/live.js";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { DashboardLab, type DashboardLabOptions } from "../support/dashboard-lab.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  "",
  "rounds",
  "rounds/1",
  "metrics",
  "devices",
  "devices/a",
  "models",
  "models/1",
  "drift",
  "task",
];
const PHONE = { width: 360, height: 740 };

let browser: Browser;
let runtime: ModelRuntime;
const open: DashboardLab[] = [];

describe.skipIf(!hasBrowser)("the dashboard", () => {
  beforeAll(async () => {
    browser = await startBrowser();
    runtime = await createTfjsRuntime("tfjs-cpu");
  });

  afterEach(async () => {
    for (const lab of open.splice(0)) await lab.close();
  });

  afterAll(async () => {
    await browser?.close();
    runtime?.dispose();
  });

  test("a live federation is watched to its end", async () => {
    const { learning, serving } = startFleet(loadTaskFile("examples/pumps/task.yaml"), 3);
    const { page, complaints } = await openPage(browser, await serving);
    await page.getByText("Training is over").waitFor();
    const fleet = await learning;
    await page.getByText("The fleet has learned, and is well.").waitFor();
    expect(await page.locator(".facts").textContent()).toContain("3 of 3");
    expect(await page.locator(".chart canvas").count()).toBe(1);
    await page.goto(`${fleet.statusUrl}#/rounds`);
    await page.getByRole("link", { name: "1", exact: true }).click();
    await page.getByRole("heading", { name: /Round 1/ }).waitFor();
    expect(await page.locator(".lane").count()).toBe(8);
    expect(complaints).toEqual([]);
    await fleet.stop();
  }, 120_000);

  test("candidates are compared before the operator's eyes, until one is selected and served", async () => {
    const { learning, serving } = startFleet(candidates(), 2);
    const { page, complaints } = await openPage(browser, await serving);
    await page.getByRole("heading", { name: "Candidates, by rmse" }).waitFor();
    const fleet = await learning;
    await page.getByText("The fleet has learned, and is well.").waitFor();
    await page.goto(`${fleet.statusUrl}#/models`);
    const answer = await fetch(`${fleet.statusUrl}/api/selection`);
    const { winner = "", candidates: compared } = selectionSchema.parse(await answer.json());
    await page.getByText(`${winner} is selected`).waitFor();
    const line = (name: string) =>
      page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
    await line(winner).getByText("selected").waitFor();
    // Those that did worse say by how much, with its interval, and what they stood against.
    const others = compared.filter(({ name }) => name !== winner).map(({ name }) => name);
    expect(others).toHaveLength(2);
    for (const name of others) {
      const told = await line(name).textContent();
      expect(told).toMatch(/out.*rmse [\d.]+ against [\d.]+.*\(-?[\d.]+ to -?[\d.]+\)/);
    }
    await page.getByText("huge is not tried: 1817 parameters above limit 1500").waitFor();
    await page.evaluate(axe);
    expect(await faultsOf(page)).toEqual([]);
    await page.goto(`${fleet.statusUrl}#/rounds`);
    await page.getByText("3 side by side").first().waitFor();
    expect(complaints).toEqual([]);
    await fleet.stop();
  }, 120_000);

  test("the name that a version was given stands beside it until it is taken away", async () => {
    const { lab, url } = await startLab();
    await runRound(lab, await twoDevices(lab));
    const { page } = await openPage(browser, `${url}#/models`);
    expect(await lab.server.nameVersion("golden", 2)).toEqual({ ok: true });
    await page.getByRole("article").filter({ hasText: "Version 2" }).getByText("golden").waitFor();
    await lab.server.dropName("golden");
    await page.getByText("golden").waitFor({ state: "hidden" });
  });

  test("a rejection is seen at once, with its reason, in the round and at the device", async () => {
    const { lab, url } = await startLab();
    const { page, complaints } = await openPage(browser, url);
    const [, b] = await twoDevices(lab);
    await page.getByText("Round 1: train").waitFor();
    await b.contribute({ delta: new Float32Array(13).fill(Number.NaN) });
    await page.locator(".lane", { hasText: "not-finite" }).waitFor();
    await page.locator(".lane", { hasText: "not-finite" }).getByRole("link", { name: "b" }).click();
    await page.getByRole("cell", { name: "not-finite" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("a server that is lost is said to be, and the page catches up when it is back", async () => {
    const dashboard = await startLab();
    const { page } = await openPage(browser, dashboard.url);
    await page.getByText("All is well").waitFor();
    await dashboard.close();
    await page.getByText("The server does not answer").waitFor();
    await twoDevices(dashboard.lab);
    await dashboard.serve();
    await page.getByText("Round 1: train").waitFor();
    expect(await page.getByText("The server does not answer").count()).toBe(0);
  });

  test("a thousand devices are searched, filtered and scrolled with few of them on the page", async () => {
    const { lab, url } = await startLab({ silent: 1000 });
    await twoDevices(lab);
    const { page, complaints } = await openPage(browser, `${url}#/devices`);
    await page.getByText("1,002 devices").waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(60);
    const slowestMs = await page.evaluate<number>(
      `(${scrollThrough})(document.querySelector('[role=grid]'))`,
    );
    expect(slowestMs).toBeLessThan(250);
    await page.getByText("pump-0999").waitFor();
    await page.getByRole("searchbox").fill("pump-07");
    await page.getByText("100 devices of 1002").waitFor();
    await page.getByRole("searchbox").fill("");
    await page.getByLabel("State").selectOption("connected");
    await page.getByText("2 devices of 1002").waitFor();
    expect(complaints).toEqual([]);
  });

  test("promotion and rollback are asked about once more, done, and a refusal says why", async () => {
    const { lab, url } = await startLab();
    const devices = await twoDevices(lab);
    await runRound(lab, devices);
    const { page } = await openPage(browser, `${url}#/models`);
    const served = (version: number) =>
      page
        .getByRole("article")
        .filter({ hasText: `Version ${version}` })
        .getByText("stable")
        .waitFor();
    // The first is what a model begins with, and is served to nobody.
    await served(2);
    const rollBack = page.getByRole("dialog", { name: "Roll back?" });
    await page.getByRole("button", { name: "Roll back" }).click();
    await rollBack.getByRole("button", { name: "Roll back" }).click();
    await rollBack.getByText("nothing was served before").waitFor();
    await rollBack.getByRole("button", { name: "Cancel" }).click();
    await runRound(lab, devices);
    await served(3);
    await page.getByRole("button", { name: "Roll back" }).click();
    await rollBack.getByRole("button", { name: "Cancel" }).click();
    expect(lab.server.status().stable).toBe(3);
    await page.getByRole("button", { name: "Roll back" }).click();
    await rollBack.getByRole("button", { name: "Roll back" }).click();
    await rollBack.waitFor({ state: "hidden" });
    await served(2);
    await page.getByRole("button", { name: "Promote 3" }).click();
    const promote = page.getByRole("dialog", { name: "Promote version 3?" });
    await promote.getByRole("button", { name: "Promote 3" }).click();
    await promote.waitFor({ state: "hidden" });
    await served(3);
    expect(lab.server.status().stable).toBe(3);
  });

  test("the keyboard alone leads from the overview to a device and back", async () => {
    const { lab, url } = await startLab();
    await twoDevices(lab);
    const { page } = await openPage(browser, url);
    await page.getByText("Round 1: train").waitFor();
    await tabTo(page, "Devices");
    await page.keyboard.press("Enter");
    await page.getByRole("grid").waitFor();
    await tabTo(page, undefined);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^a/ }).waitFor();
    expect(await page.evaluate("document.activeElement.tagName")).toBe("MAIN");
    await page.goBack();
    await page.getByRole("grid").waitFor();
  });

  test("every page passes axe in both themes, and none is wider than a phone", async () => {
    const row = { reportedMs: 1, isSilent: false, scores: [0.2, 2.4] };
    const devices = [
      { device: "a", ...row },
      { device: "b", ...row, isSilent: true },
    ];
    const drift = { columns: ["a", "b"], devices, total: 2, silentAfterMs: 900_000 };
    const { lab, url } = await startLab({ drift });
    await runRound(lab, await twoDevices(lab));
    const all: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await openPage(browser, url, PHONE);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      // As the debugger's own code: the page's policy would not let a script tag in.
      await page.evaluate(axe);
      for (const place of PAGES) {
        await page.evaluate(`location.hash = "#/${place}"`);
        await page.locator("main > *").first().waitFor();
        await page.getByText("Asking the server").waitFor({ state: "hidden" });
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        expect(width, `${place} ${colorScheme}`).toBeLessThanOrEqual(PHONE.width);
        const faults = await faultsOf(page);
        all.push(...faults.map((fault) => `${place} ${colorScheme}: ${fault}`));
      }
      await page.close();
    }
    expect(all).toEqual([]);
  });

  test("the theme is chosen, and stays chosen", async () => {
    const { url } = await startLab();
    const { page } = await openPage(browser, url);
    await page.emulateMedia({ colorScheme: "light" });
    const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await ground()).toBe(dark);
  });
});

/** What axe finds on the page, into which it has been put. */
async function faultsOf(page: Page): Promise<string[]> {
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>("axe.run()");
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** A whole fleet in real time: the address of its page, and the fleet once it has learned. */
function startFleet(task: LoadedTask, rounds: number) {
  let onServing: (url: string) => void = () => undefined;
  const serving = new Promise<string>((resolve) => {
    onServing = resolve;
  });
  const learning: Promise<LiveFleet> = startLiveFleet({
    ...{ task, rounds, folder: undefined, devices: undefined, seed: "1", engine: defaultEngine },
    ...{ workers: undefined, local: false, onServing },
  });
  return { learning, serving };
}

/** The pumps' candidates, one of them beyond the limits, with little data and few rounds. */
function candidates(): LoadedTask {
  const yaml = readFileSync(new URL("../../examples/pumps/candidates.yaml", import.meta.url), "utf8");
  const changes = [
    [
      "  small: { model: { dense: [8], output: regression } }",
      "  huge: { model: { dense: [48, 20], output: regression } }",
    ],
    [
      "rungs: [5, 15], eta: 3, limits: { parameters: 20000 }",
      "rungs: [2, 6], eta: 3, limits: { parameters: 1500 }",
    ],
    ["days: 12, history: 4, hoursPerSecond: 6", "days: 5, history: 4, hoursPerSecond: 6"],
    ["from: 2026-01-09", "from: 2026-01-05"],
  ] as const;
  return parseTask(
    changes.reduce((text, [from, to]) => {
      expect(text).toContain(from);
      return text.replace(from, to);
    }, yaml),
  );
}

async function startLab(options: Omit<DashboardLabOptions, "runtime"> = {}): Promise<DashboardLab> {
  const lab = await DashboardLab.start({ runtime, ...options });
  open.push(lab);
  return lab;
}

async function twoDevices(lab: DashboardLab["lab"]) {
  const devices = [await lab.device("a"), await lab.device("b")] as const;
  for (const device of devices) await device.hello();
  return devices;
}

/** A train round with one refusal, and its evaluation. */
async function runRound(lab: DashboardLab["lab"], [a, b]: Awaited<ReturnType<typeof twoDevices>>) {
  const trained = () => lab.told("round-closed").filter(({ kind }) => kind === "train").length;
  const [before, evaluated] = [trained(), lab.told("evaluated").length];
  await b.contribute({ delta: new Float32Array(13).fill(Number.NaN) });
  await a.contribute();
  await lab.settle(() => trained() > before);
  for (const device of [a, b]) await device.contribute();
  await lab.settle(() => lab.told("evaluated").length > evaluated);
}

/** Presses Tab until the link of that name, or the grid, has the focus. */
async function tabTo(page: Page, link: string | undefined): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    const isThere =
      link === undefined
        ? (await focused.getAttribute("role")) === "grid"
        : (await focused.textContent()) === link;
    if (isThere) return;
  }
  throw new Error(`no ${link ?? "grid"} within 40 presses of Tab`);
}

/** Scrolls to the end in steps; the slowest frame, in ms. Runs in the page. */
const scrollThrough = `async (view) => {
  let slowest = 0;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  for (let top = 0; top <= view.scrollHeight; top += 900) {
    view.scrollTop = top;
    const began = performance.now();
    await frame();
    slowest = Math.max(slowest, performance.now() - began);
  }
  view.scrollTop = view.scrollHeight;
  await frame();
  return slowest;
}`;
