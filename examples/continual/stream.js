// A machine that wears out, over MQTT: `node stream.js URL [MINUTES] [PER_SECOND]`. How much heat a load makes changes from
// 4 degrees per unit to -4 (a fan that comes on later and later, say): slowly, and for good.

import mqtt from "mqtt";

const [url = "mqtt://127.0.0.1:1884", minutes = "6000", perSecond = "100"] = process.argv.slice(2);
const START_S = Date.UTC(2026, 0, 1) / 1_000;
const client = await mqtt.connectAsync(url);

let load = 0;
for (let minute = 0; minute < Number(minutes); minute++) {
  const slope = 4 - (8 * minute) / Number(minutes);
  // What the load of this minute will have done a minute later.
  const heat = 40 + slope * load + 0.3 * noise(2 * minute);
  load = 0.5 * load + noise(2 * minute + 1);
  const state = { ts: START_S + 60 * minute, load, heat };
  await client.publishAsync("machine/m1/state", JSON.stringify(state), { qos: 1 });
  await new Promise((resolve) => setTimeout(resolve, 1_000 / Number(perSecond)));
}
await client.endAsync();

/** Between -1.7 and 1.7 with a variance of 1, the same in every run. */
function noise(n) {
  const x = Math.sin(12.9898 * n + 78.233) * 43_758.5453;
  return Math.sqrt(12) * (x - Math.floor(x) - 0.5);
}
