// Processes that train one model on one engine, asked in bursts: so all engines of a run see the same minutes.

import { fork, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * A runner, or null where this engine cannot start here; what a started one cannot do has the rate null. Either is said
 * once on standard error: an engine that fails must not look like one that was not asked.
 */
export async function startRunner(engine, model) {
  const said = new Set();
  const cannot = (what, why) => {
    if (!said.has(what)) process.stderr.write(`${engine} cannot ${what} ${model}: ${why}\n`);
    said.add(what);
    return null;
  };
  return engine === "torch" ? startTorch(model, cannot) : startNode(engine, model, cannot);
}

async function startNode(engine, model, cannot) {
  const child = fork(path("child.js"), [engine, model], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  // What a child says last is why it ended; all has to be read, or its pipe fills up and it waits.
  let lastWords = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    lastWords = `${lastWords}${text}`.slice(-2000);
  });
  let answered = () => undefined;
  child.on("message", (message) => answered(message));
  child.on("close", () => answered({ error: `its process ended\n${lastWords}` }));
  const next = () =>
    new Promise((resolve) => {
      answered = resolve;
    });
  const ask = async (what, ms) => {
    if (!child.connected) return cannot(what, "its process ended");
    const answer = next();
    child.send({ what, ms });
    const { rate, error } = await answer;
    return rate ?? cannot(what, error);
  };
  const { error } = await next();
  if (error !== undefined) return cannot("start on", error);
  return { ask, stop: () => child.kill() };
}

async function startTorch(model, cannot) {
  const python = ["python3", "/usr/bin/python3"].find(
    (name) => spawnSync(name, ["-c", "import torch"]).status === 0,
  );
  if (python === undefined) return cannot("start on", "no python3 here can import torch");
  const child = spawn(python, [path("torch_child.py"), model], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  // Writing to one that has ended fails; that it says nothing more is enough.
  child.stdin.on("error", () => undefined);
  if ((await next()) !== "ready") return cannot("start on", "its process ended");
  const ask = async (what, ms) => {
    child.stdin.write(`${what} ${ms}\n`);
    const line = await next();
    return line === undefined ? cannot(what, "its process ended") : Number(line);
  };
  return { ask, stop: () => child.kill() };
}

/** The middle value; null when nothing was measured. */
export function median(values) {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor(known.length / 2)];
}
