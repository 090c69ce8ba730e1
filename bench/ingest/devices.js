// The devices' half of the ingest bench: raw MQTT clients that know just enough of the protocol. Run by ../ingest.js.

import { once } from "node:events";
import { sha256Hex } from "../../dist/shared/task/canonical.js";
import { parseTask } from "../../dist/shared/task/parse.js";
import { splitChunks } from "../../dist/shared/wire/chunk.js";
import { signUpdate } from "../../dist/shared/wire/signature.js";
import { deviceSubscriptions } from "../../dist/shared/wire/topic.js";
import { updateIdOf } from "../../dist/shared/wire/update.js";
import { encodeUpdate } from "../../dist/shared/wire/update-frame.js";
import { Client } from "./client.js";
import { benchTask, deviceKeys } from "./task.js";

const CHUNK_BYTES = 64 * 1024;
const WINDOW = 4;
const [mode, url, count, params] = [
  process.argv[2],
  new URL(process.argv[3]),
  ...process.argv.slice(4).map(Number),
];
const loaded = parseTask(benchTask(count));
const TASK = loaded.task.task;
const delta = Float32Array.from({ length: params }, (_, at) => Math.sin(at) / 1000);

process.on("disconnect", () => process.exit(0));
const clients = await Promise.all(Array.from({ length: count }, (_, at) => connect(`device-${at}`)));
for (const [before, after] of [
  ["ready", "warm"],
  ["warm", "done"],
]) {
  const updates = await Promise.all(clients.map(prepare));
  const bytes = updates.reduce((sum, { frame }) => sum + frame.length, 0);
  process.send({ type: before, bytes });
  await once(process, "message");
  await Promise.all(updates.map(upload));
  if (after === "done") process.send({ type: after });
}

async function connect(id) {
  const client = new Client({ id, url, task: TASK });
  await client.connect();
  if (mode === "real") await client.subscribe(deviceSubscriptions(TASK, id));
  return client;
}

/** A device's update, made for the round it was offered. */
async function prepare(client) {
  const { id } = client;
  const offer = mode === "bare" ? { round: 1, manifest: null } : await askForWork(client);
  const { round, manifest } = offer;
  const frame = encodeUpdate(
    {
      ...{ task: TASK, device: id, round, kind: "train", baseVersion: manifest?.version ?? 0, examples: 10 },
      ...{ modelSignature: manifest?.modelSignature ?? null, evaluate: null, fit: null },
      train: { codec: "float32", count: params, fingerprint: manifest?.fingerprint ?? "", steps: 1, loss: 1 },
    },
    delta,
  );
  const sha256 = sha256Hex(frame);
  const updateId = updateIdOf({ task: TASK, device: id, round, sha256 });
  return { client, id, round, frame, sha256, updateId, baseVersion: manifest?.version ?? 0 };
}

async function askForWork(client) {
  // The round opens when all have called; those who called before are sent their offer then.
  await client.send("hello", {
    ...{ v: 1, taskHash: loaded.taskHash, stable: null, eligible: true, reason: null, pending: null },
    examples: { train: 10, validation: 0 },
  });
  return client.next("offer");
}

async function upload({ client, id, round, frame, sha256, updateId, baseVersion }) {
  let ranges = [[0, frame.length]];
  if (mode === "real") {
    const about = { round, kind: "train", baseVersion, bytes: frame.length, sha256, examples: 10 };
    await client.send("begin", { v: 1, updateId, ...about });
    ({ ranges } = await client.next("missing"));
  }
  await sendChunks(client, updateId, frame, splitChunks(frame.length, CHUNK_BYTES, ranges));
  if (mode === "bare") return;
  const claim = { task: TASK, device: id, round, updateId, sha256 };
  const signature = signUpdate(deviceKeys(id).privateKey, claim);
  await client.send("commit", { v: 1, updateId, round, sha256, signature });
  const { status, reason } = await client.next("receipt");
  if (status !== "accepted") throw new Error(`${id} was refused: ${reason}`);
}

async function sendChunks(client, updateId, frame, chunks) {
  const sender = async () => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const [offset, length] = chunk;
      await client.send("chunk", { v: 1, updateId, offset, data: frame.subarray(offset, offset + length) });
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, sender));
}
