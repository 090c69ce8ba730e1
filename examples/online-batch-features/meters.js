// Two meters over MQTT: `node meters.js [URL]`. All of yesterday, every five minutes, then a reading of each every second.

import mqtt from "mqtt";

const [url = "mqtt://127.0.0.1:1884"] = process.argv.slice(2);
const METERS = { hall: 12, yard: 3 }; // kW on a usual working hour
const DAY_S = 86_400;
const nowS = () => Math.floor(Date.now() / 1_000);
const client = await mqtt.connectAsync(url);

const today = nowS() - (nowS() % DAY_S);
for (let second = today - DAY_S; second < today; second += 300) await send(second);
process.stdout.write("yesterday is sent; live from now on\n");
for (let second = nowS(); ; second++) {
  await new Promise((resolve) => setTimeout(resolve, 1_000 * second - Date.now()));
  await send(second);
}

async function send(second) {
  for (const [meter, usual] of Object.entries(METERS)) {
    const hour = (second % DAY_S) / 3_600;
    const isWorking = hour >= 7 && hour < 18;
    const kw = usual * ((isWorking ? 1 : 0.4) + 0.3 * Math.sin(second / 40) + 0.05 * noise(second + usual));
    await client.publishAsync(`meter/${meter}/power`, JSON.stringify({ ts: second, kw: round(kw) }), {
      qos: 1,
    });
  }
}

function round(value) {
  return Math.round(100 * value) / 100;
}

/** Between -1 and 1, the same for a second in every run. */
function noise(n) {
  const x = Math.sin(12.9898 * (n % DAY_S) + 78.233) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}
