// A motor over MQTT: `node motor.js [URL]`. The hour that has passed, as fast as the broker takes it, then a message every second.

import mqtt from "mqtt";

const [url = "mqtt://127.0.0.1:1884"] = process.argv.slice(2);
const PAST_S = 3_600;
const client = await mqtt.connectAsync(url);

let temp = 50;
for (let second = Math.floor(Date.now() / 1_000) - PAST_S; ; second++) {
  await new Promise((resolve) => setTimeout(resolve, 1_000 * second - Date.now()));
  const current = 8 + 3 * Math.sin(second / 60) + 0.5 * noise(second);
  // It warms up with the square of the current, and cools towards 20 degrees.
  temp += 0.01 * current ** 2 - 0.02 * (temp - 20);
  const state = { ts: second, temp: round(temp + 0.1 * noise(2 * second)), current: round(current) };
  await client.publishAsync("motor/m1/state", JSON.stringify(state), { qos: 1 });
}

function round(value) {
  return Math.round(100 * value) / 100;
}

/** Between -1 and 1, the same for a second in every run. */
function noise(n) {
  const x = Math.sin(12.9898 * (n % 86_400) + 78.233) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}
