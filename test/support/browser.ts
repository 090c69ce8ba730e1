// A real Chromium with a fresh profile.

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import defaults from "./chromium.json" with { type: "json" };

const CHROMIUM = process.env.HEADWATER_CHROMIUM ?? defaults.path;

/** False where no browser is installed: its tests are skipped. */
export const hasBrowser = existsSync(CHROMIUM);

/** Starts one; playwright gives it a profile of its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: defaults.args });
}

/** A page that fails its test when the browser complains of anything. */
export async function openPage(
  browser: Browser,
  url: string,
  size = { width: 1280, height: 900 },
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await browser.newPage({ viewport: size });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isLost = /ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/.test(message.text());
    if (message.type() === "error" && !isLost) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
