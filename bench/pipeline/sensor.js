// A sensor with a thread of its own: so many messages a second, each stamped when it leaves.

import { workerData } from "node:worker_threads";
import { sleep, systemClock } from "../../dist/shared/clock.js";
import { connect } from "../device/rig.js";

const { url, count, perSecond } = workerData;
const session = await connect(url, "sensor", []);
const startMs = performance.now();
const pending = [];
for (let i = 0; i < count; i++) {
  const dueMs = startMs + (i / perSecond) * 1_000;
  if (dueMs > performance.now()) await sleep(systemClock, Math.max(1, dueMs - performance.now()));
  const values = { ts: i, sent: Number(process.hrtime.bigint()), x: Math.sin(i), y: i % 7 };
  pending.push(session.publish("lab/pump/t", Buffer.from(JSON.stringify(values))));
  if (pending.length >= 500) await Promise.all(pending.splice(0));
}
await Promise.all(pending);
await session.close();
