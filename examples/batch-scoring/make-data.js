// Writes history.csv, eight weeks of two sites, and ahead.csv, the day after: the weather forecast, and no demand yet.
// With --truth, also truth.csv: what that day came to. Generated, the same in every run.

import { writeFileSync } from "node:fs";

const HOUR_S = 3_600;
const START_S = Date.UTC(2026, 0, 5) / 1_000; // a Monday
const DAYS = 56;
const SITES = { north: 1_200, south: 3_400 }; // square metres

const lines = { history: [], ahead: [], truth: [] };
for (let hour = 0; hour < (DAYS + 1) * 24; hour++) {
  for (const [site, area] of Object.entries(SITES)) {
    const ts = START_S + hour * HOUR_S;
    const temp = Math.round(10 * weatherAt(hour)) / 10;
    const kw = Math.round(10 * demandAt(hour, temp, area)) / 10;
    const isAhead = hour >= DAYS * 24;
    lines[isAhead ? "ahead" : "history"].push([ts, site, area, temp, isAhead ? "" : kw]);
    if (isAhead) lines.truth.push([ts, site, area, temp, kw]);
  }
}
for (const [name, rows] of Object.entries(lines)) {
  if (name === "truth" && !process.argv.includes("--truth")) continue;
  const text = [["ts", "site", "area", "temp", "kw"], ...rows].map((row) => row.join(",")).join("\n");
  writeFileSync(new URL(`${name}.csv`, import.meta.url), `${text}\n`);
}

/** Slow weather with a daily swing, in degrees Celsius. */
function weatherAt(hour) {
  return 8 + 6 * Math.sin(hour / 60) + 4 * Math.sin(((hour % 24) - 9) * (Math.PI / 12)) + noise(hour);
}

/** Heating below 17 degrees, machines on working days, and what nobody can know. */
function demandAt(hour, temp, area) {
  const isWorking = hour % 24 >= 7 && hour % 24 < 18 && Math.floor(hour / 24) % 7 < 5;
  const perThousand = 6 + 1.4 * Math.max(0, 17 - temp) + (isWorking ? 14 : 0);
  return (area / 1_000) * perThousand * (1 + 0.03 * noise(7 * hour + area));
}

/** Between -1 and 1, as good as random. */
function noise(n) {
  const x = Math.sin(12.9898 * n + 78.233) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}
