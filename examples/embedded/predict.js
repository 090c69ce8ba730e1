// A program with a model inside: readings in (one JSON object a line), predictions out. No broker, no server, no network.
//
//   node predict.js MODEL < readings.jsonl

import { createInterface } from "node:readline/promises";
import { loadModel } from "headwater/model";

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write("usage: node predict.js MODEL < readings.jsonl\n");
  process.exit(2);
}

const model = await loadModel(path);
process.stderr.write(`${model.task}, version ${model.version}: ${model.features.join(", ")}\n`);

const say = (predictions) => {
  for (const prediction of predictions) process.stdout.write(`${JSON.stringify(prediction)}\n`);
};
for await (const line of createInterface({ input: process.stdin })) say(model.push(JSON.parse(line)));
say(model.flush());
// A reading that gave no prediction is counted, with the reason.
process.stderr.write(`${JSON.stringify(model.counters)}\n`);
model.close();
