// A real Chromium with a fresh profile.

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.HEADWATER_CHROMIUM ?? "/usr/bin/chromium";

/** False where no browser is installed: its tests are skipped. */
export const hasBrowser = existsSync(CHROMIUM);

/** Starts one; playwright gives it a profile of its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
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
