// Chromium as tests, pictures and the dashboard's bench start it.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const defaults = JSON.parse(readFileSync(new URL("../test/support/chromium.json", import.meta.url), "utf8"));

/** Starts one with a fresh profile. */
export function launchChromium() {
  return chromium.launch({
    executablePath: process.env.HEADWATER_CHROMIUM ?? defaults.path,
    args: defaults.args,
  });
}
