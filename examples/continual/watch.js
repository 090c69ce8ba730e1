// Test, then train: `node watch.js URL [EVERY]` holds each prediction against what was measured a minute later, before any model
// has learned from it, and prints how wrong they were of late. Prequential error with a fading factor (Gama, Sebastiao and
// Rodrigues 2013, sec. 3), beside that of whoever says "as it is now".

import mqtt from "mqtt";

const [url = "mqtt://127.0.0.1:1884", every = "500"] = process.argv.slice(2);
const AHEAD_MS = 60_000;
/** What a row counts for after a thousand more: a third. */
const FADING = 0.999;
/** Rows whose other half has not come yet. */
const WAITING_MAX = 10_000;

const client = await mqtt.connectAsync(url);
const measured = new Map();
const predicted = new Map();
const model = faded();
const persistence = faded();
let version = 0;

client.on("message", (topic, payload) => {
  const message = JSON.parse(payload.toString());
  if (topic.startsWith("machine/")) {
    remember(measured, 1_000 * message.ts, message.heat);
    compare(1_000 * message.ts - AHEAD_MS);
  } else {
    remember(predicted, message.timeMs, message);
    compare(message.timeMs);
  }
});
await client.subscribeAsync(["machine/m1/state", "headwater/+/prediction"], { qos: 1 });

/** Once prediction and measurement are both there; either may come first. */
function compare(timeMs) {
  const prediction = predicted.get(timeMs);
  const [now, later] = [measured.get(timeMs), measured.get(timeMs + AHEAD_MS)];
  if (prediction === undefined || now === undefined || later === undefined) return;
  predicted.delete(timeMs);
  version = prediction.version;
  model.add((prediction.value - later) ** 2);
  persistence.add((now - later) ** 2);
  if (model.rows % Number(every) === 0) print();
}

function print() {
  const [rmse, naive] = [model, persistence].map((errors) => Math.sqrt(errors.mean()).toFixed(3));
  process.stdout.write(`${model.rows} labels, version ${version}: rmse ${rmse}, persistence ${naive}\n`);
}

function faded() {
  let [sum, weight] = [0, 0];
  return {
    rows: 0,
    add(value) {
      sum = FADING * sum + value;
      weight = FADING * weight + 1;
      this.rows++;
    },
    mean: () => sum / weight,
  };
}

function remember(map, key, value) {
  map.set(key, value);
  if (map.size > WAITING_MAX) map.delete(map.keys().next().value);
}
