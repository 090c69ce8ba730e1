// Processes that train one model on one engine, asked in bursts: so all engines of a run see the same minutes.

import { fork, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A runner, or null where this engine or model cannot run here. */
export async function startRunner(engine, model) {
  return engine === "torch" ? startTorch(model) : startNode(engine, model);
}

async function startNode(engine, model) {
  const child = fork(path("child.js"), [engine, model], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let answered = () => undefined;
  child.on("message", (message) => answered(message));
  child.on("exit", () => answered({ error: "ended" }));
  const next = () =>
    new Promise((resolve) => {
      answered = resolve;
    });
  const ask = async (what, ms) => {
    const answer = next();
    child.send({ what, ms });
    return (await answer).rate ?? null;
  };
  const { error } = await next();
  if (error !== undefined) return null;
  return { ask, stop: () => child.kill() };
}

async function startTorch(model) {
  const python = ["python3", "/usr/bin/python3"].find(
    (name) => spawnSync(name, ["-c", "import torch"]).status === 0,
  );
  if (python === undefined) return null;
  const child = spawn(python, [path("torch_child.py"), model], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  if ((await next()) !== "ready") return null;
  const ask = async (what, ms) => {
    child.stdin.write(`${what} ${ms}\n`);
    return Number(await next());
  };
  return { ask, stop: () => child.kill() };
}

/** The middle value; null when nothing was measured. */
export function median(values) {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor(known.length / 2)];
}
